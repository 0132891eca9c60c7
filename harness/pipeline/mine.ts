/** `bench mine`: hard negatives as a file, found by a trained model or by BM25. */
import path from 'node:path';
import type { Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { readNegatives, writeNegatives } from '../interchange/negatives.js';
import type { Progress } from '../progress.js';
import { removePartialsOf } from '../store/atomic.js';
import { bm25NegativesStage } from './bm25-negatives.js';
import { noteUnchecked, openCheckpoint } from './checkpoint.js';
import { encodeStage, indexKey } from './encode-stage.js';
import { tryForeign } from './foreign-index.js';
import { mineStage } from './mine-stage.js';
import { bm25Asked } from './negative-sources.js';
import { negativesFile } from './negatives-file.js';
import { withEngine } from './one-stage.js';
import { type Prepared, prepare, type StageRequest } from './prepare.js';
import { queryStage } from './query-stage.js';
import { searchStage } from './search-stage.js';
import { closeSearching, openSearching, searcherRemarks } from './searching.js';

export interface MineRequest extends StageRequest {
  /** Folder of a trained checkpoint; absent: BM25 mines. */
  checkpoint?: string;
  /** Folder of its index; absent: the collection is encoded where the cache has no index of it. */
  index?: string;
  split: Split;
  /** Hits looked at per query; absent: `stage2.depth`, and 200 for BM25. */
  depth?: number;
  /** Negatives kept per query, best first; absent: all that are found, and 100 for BM25. */
  count?: number;
  /** Where the file is written to; absent: it stays in the cache. */
  out?: string;
}

/** Hard negatives, as `bench mine --json` prints them. */
export interface MinedNegatives {
  /** The file, with positives where a trained model mined. */
  negatives: string;
  key: string;
  cached: boolean;
  /** What became of the hits, by what was counted. */
  counts: Readonly<Record<string, number>>;
}

export async function mineOnly(request: MineRequest, progress: Progress): Promise<MinedNegatives> {
  const { checkpoint, split } = request;
  // Before the dataset, which may have to be downloaded: a slip in the checkpoint is better known first.
  const opened = checkpoint === undefined ? undefined : await openCheckpoint(checkpoint);
  if (checkpoint !== undefined) await noteUnchecked(checkpoint, progress);
  const prepared = await prepare(request, progress);
  const { dataset } = prepared;
  if ((await dataset.queries(split)).length === 0) {
    throw new BenchError('DATA_INVALID', `${dataset.name} has no ${split} queries to mine negatives for.`, {
      hint: 'Choose another part of it with --split train, dev or test.',
    });
  }
  const mined =
    opened === undefined
      ? await minedByBm25(prepared, request, progress)
      : await minedByModel(prepared, opened, request, progress);
  let file = negativesFile(mined.folder);
  if (request.out !== undefined) {
    const target = path.resolve(request.out);
    await removePartialsOf(target);
    await writeNegatives(target, await readNegatives(file));
    file = target;
  }
  const { key, cached, facts } = mined;
  if (cached) progress.note('mine: from cache');
  return { negatives: file, key, cached, counts: { ...facts } };
}

async function minedByBm25(prepared: Prepared, { split, count, depth }: MineRequest, progress: Progress) {
  const { dataset, store, config } = prepared;
  const { memoryMiB } = config.search;
  const usual = bm25Asked(prepared);
  const kept = count ?? usual.count;
  // Some hits are no negatives: as many again are looked at, as usual.
  const asked = { ...usual, count: kept, depth: depth ?? Math.max(usual.depth, 2 * kept) };
  return bm25NegativesStage({ dataset, store, split, memoryMiB, ...asked }, progress);
}

async function minedByModel(
  prepared: Prepared,
  checkpoint: Awaited<ReturnType<typeof openCheckpoint>>,
  { index, split, count, depth }: MineRequest,
  progress: Progress,
) {
  return withEngine(prepared, async (engine) => {
    const indexed =
      index === undefined
        ? await encodeStage(prepared, checkpoint, engine, progress)
        : { folder: index, key: await indexKey(index, prepared, checkpoint, engine, progress) };
    if (index !== undefined) await tryForeign(index, prepared, progress);
    const searching = await openSearching(prepared, checkpoint, engine, indexed.folder);
    try {
      for (const remark of searcherRemarks(searching)) progress.note(remark);
      const encoded = await queryStage(prepared, checkpoint, engine, { split }, progress);
      const asked = { split, encoded, depth: depth ?? prepared.config.stage2.depth };
      const run = await searchStage(prepared, searching, indexed.key, asked, progress);
      return await mineStage(prepared, searching.index, run, { split, negatives: count ?? null });
    } finally {
      await closeSearching(searching);
    }
  });
}
