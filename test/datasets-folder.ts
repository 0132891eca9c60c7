/** Opening a dataset from a folder that a test has written, and what a test reads from one. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Dataset, DatasetPlugin, Passage } from '../harness/contracts.js';
import { BenchError, type ErrorCode } from '../harness/errors.js';
import { inFixtures } from './places.js';

export const fixtures = inFixtures('datasets');

const fetch = (): never => {
  throw new Error('a folder was given, and something is fetched');
};

export function openFolder(plugin: DatasetPlugin, folder: string, variant?: string): Promise<Dataset> {
  return plugin.open({ folder, fetch, ...(variant !== undefined && { variant }) });
}

/** Writes the files into a folder, which is there only while `use` runs. */
export async function inFolder<T>(
  files: Readonly<Record<string, string | Buffer>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-dataset-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), content);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function passagesOf(dataset: Dataset): Promise<Passage[]> {
  const all: Passage[] = [];
  for await (const passage of dataset.passages()) all.push(passage);
  return all;
}

/** The dataset's files are refused, when it is opened or when everything in it is read. */
export async function refuses(
  plugin: DatasetPlugin,
  files: Readonly<Record<string, string | Buffer>>,
  variant: string | undefined,
  code: ErrorCode,
  ...patterns: readonly RegExp[]
): Promise<void> {
  await inFolder(files, (folder) =>
    assert.rejects(
      async () => {
        const dataset = await openFolder(plugin, folder, variant);
        await passagesOf(dataset);
        for (const split of ['train', 'dev', 'test'] as const) {
          await dataset.queries(split);
          await dataset.negatives?.(split);
        }
      },
      (error) => {
        assert.ok(error instanceof BenchError, String(error));
        assert.equal(error.code, code, error.message);
        for (const pattern of patterns) assert.match(error.message, pattern);
        return true;
      },
    ),
  );
}
