/** Valid inputs: out of fixtures, out of texts, and written by the program itself. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { inFixtures } from '../places.js';
import type { Files } from './loader.js';

/** The files below a folder. @param wanted of their paths within it */
export function filesIn(folder: string, wanted: (name: string) => boolean = () => true): Files {
  const files: Record<string, Uint8Array> = {};
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file).split(path.sep).join('/');
    if (wanted(name)) files[name] = readFileSync(file);
  }
  return Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const fixtureFiles = (name: string, wanted?: (name: string) => boolean): Files =>
  filesIn(inFixtures(name), wanted);

export const fixtureFile = (name: string): Uint8Array => readFileSync(inFixtures(name));

/** Files of these texts. */
export function texts(contents: Readonly<Record<string, string>>): Files {
  return Object.fromEntries(Object.entries(contents).map(([name, text]) => [name, Buffer.from(text)]));
}

/** One file per text, each an input of its own, and the first packed too. */
export function each(name: string, ...contents: readonly string[]): Files[] {
  const plain = contents.map((text): Files => ({ [name]: Buffer.from(text) }));
  return [...plain, { [name]: gzipSync(contents[0]!) }];
}

/** What `write` leaves in a folder; the time is always the same, so that the files are. */
export async function written(write: (folder: string) => Promise<unknown>): Promise<Files> {
  const folder = mkdtempSync(path.join(tmpdir(), 'strata-fuzz-valid-'));
  const { toISOString } = Date.prototype;
  Date.prototype.toISOString = () => '2026-01-01T00:00:00.000Z';
  try {
    await write(folder);
    return filesIn(folder, (name) => !name.startsWith('running/'));
  } finally {
    Date.prototype.toISOString = toISOString;
    rmSync(folder, { recursive: true, force: true });
  }
}
