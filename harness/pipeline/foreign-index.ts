/** An index that a user brings from elsewhere: its manifest says what it was, and anybody could have written that. */
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import { BenchError, succeeds } from '../errors.js';
import { shardPaths } from '../index/shard-files.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import type { Progress } from '../progress.js';
import { auto, autoSearchers, namedSearcher } from './choose-searcher.js';
import type { Session } from './prepare.js';

/**
 * Looks at every number of an index that does not lie in the cache, and lets a library that is to search it read it elsewhere
 * first.
 * @throws BenchError DATA_INVALID
 */
export async function tryForeign(
  folder: string,
  { store, config: { searcher } }: Pick<Session, 'store' | 'config'>,
  progress: Progress,
): Promise<void> {
  if (await isBelow(store.root, folder)) return;
  await closing(await openIndex(folder), async (index) => {
    await assertFinite(index, progress);
    const files = index.shards.map(({ number }) => shardPaths(folder, number).vectors);
    for (const { plugin } of searcher === auto ? await autoSearchers() : [await namedSearcher(searcher)])
      if (plugin.prove !== undefined && (await succeeds(plugin.check()))) await plugin.prove(files, progress);
  });
}

async function isBelow(root: string, folder: string): Promise<boolean> {
  const [above, below] = await Promise.all([root, folder].map((each) => realpath(each).catch(() => each)));
  return !path.relative(above!, below!).startsWith('..');
}

const blockNumbers = 1 << 20;

/** A score that is not a number is never found, or found everywhere. */
async function assertFinite(index: VectorIndex, progress: Progress): Promise<void> {
  const rows = Math.max(1, Math.floor(blockNumbers / index.dimensions));
  const values = new Float32Array(rows * index.dimensions);
  for (let first = 0; first < index.vectors; first += rows) {
    progress.checkInterrupted();
    const count = Math.min(rows, index.vectors - first);
    await index.readRows(first, count, values);
    const fault = values.subarray(0, count * index.dimensions).findIndex((value) => !Number.isFinite(value));
    if (fault < 0) continue;
    const passage = index.passageOf(first + Math.floor(fault / index.dimensions));
    throw new BenchError(
      'DATA_INVALID',
      `The index ${index.folder} holds ${values[fault]} in a vector of passage ${passage + 1} of the collection.`,
      { hint: 'Make the index again with bench encode.' },
    );
  }
}
