/** A small collection in SQuAD's format (test/fixtures/datasets/squad), copied for every test so that it can be spoilt. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import squad from '../datasets/squad.js';
import type { Dataset } from '../harness/contracts.js';
import { inFixtures } from './places.js';

const fixture = inFixtures('datasets/squad');

/** An article as the file holds it; loose, so that a test can put anything in. */
export interface Raw {
  title: unknown;
  paragraphs: {
    context: unknown;
    qas: { id: unknown; question: unknown; answers: { text: unknown; answer_start: unknown }[] }[];
  }[];
}

export class SquadFolder {
  path = '';

  file(name: string): string {
    return path.join(this.path, name);
  }

  open(folder = this.path): Promise<Dataset> {
    return squad.open({ folder, fetch: () => Promise.reject(new Error('a folder was given')) });
  }

  /** Changes the articles of a file. */
  async edit(name: string, change: (data: Raw[]) => unknown): Promise<void> {
    const value = JSON.parse(await readFile(this.file(name), 'utf8')) as { data: Raw[] };
    change(value.data);
    await writeFile(this.file(name), JSON.stringify(value));
  }
}

/** Registers the hooks that make and remove the folder around every test of a file. */
export function squadFolder(): SquadFolder {
  const folder = new SquadFolder();
  beforeEach(async () => {
    folder.path = await mkdtemp(path.join(tmpdir(), 'strata-squad-'));
    await cp(fixture, folder.path, { recursive: true });
  });
  afterEach(() => rm(folder.path, { recursive: true, force: true }));
  return folder;
}
