/** `bench mine`: hard negatives as a file, found by a trained model or by BM25. */
import path from 'node:path';
import type { Split } from '../contracts.js';
import { negativesFile, readNegatives, writeNegatives } from '../interchange/negatives.js';
import type { Progress } from '../progress.js';
import { bm25Negatives } from '../stages/bm25-negatives.js';
import { indexTerms } from '../stages/index-terms.js';
import { knownOf } from '../stages/known.js';
import { mine } from '../stages/mine.js';
import { search } from '../stages/search.js';
import { askedOf } from '../stages/systems.js';
import { Workbench } from '../stages/workbench.js';
import { removePartialsOf } from '../store/partials.js';
import { assertFileTakes } from '../store/writable.js';
import { bm25Asked } from './negative-sources.js';
import { withCheckpoint } from './one-stage.js';
import { identicalIdsOf } from './own-passages.js';
import { assertQueries, prepare, type StageRequest } from './prepare.js';
import { marginsOf } from './score-margins.js';
import { searcherRemarks } from './searching.js';
import { StageLog } from './stage-log.js';
import { withHits } from './system-stages.js';

export interface MineRequest extends StageRequest {
  /** Folder of a trained checkpoint, whose hits are taken; absent: those of a system, or BM25 mines. */
  checkpoint?: string;
  /** A system that needs no checkpoint, whose hits are taken. */
  system?: string;
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
  const { checkpoint, system, out } = request;
  if (out !== undefined) await assertFileTakes(out);
  const mined =
    checkpoint !== undefined
      ? await minedByModel({ ...request, checkpoint }, progress)
      : system !== undefined
        ? await minedBySystem({ ...request, system }, progress)
        : await minedByBm25(request, progress);
  let file = negativesFile(mined.folder);
  if (out !== undefined) {
    const target = path.resolve(out);
    await removePartialsOf(target);
    await writeNegatives(target, await readNegatives(file));
    file = target;
  }
  const { key, cached, facts } = mined;
  if (cached) progress.note('mine: from cache');
  return { negatives: file, key, cached, counts: { ...facts } };
}

const missing = 'queries to mine negatives for';

const noteWithoutScores = (miner: string, { note }: Progress) =>
  note(
    `stage2.maxScoreRatio and stage2.scoreMargin play no part: what ${miner} mines is not held against scores`,
  );

async function minedByBm25(request: MineRequest, progress: Progress) {
  const { split, count, depth, config } = request;
  const prepared = await prepare(request, progress);
  await assertQueries(prepared, split, missing);
  if (marginsOf(config) !== undefined) noteWithoutScores('BM25', progress);
  const usual = bm25Asked(config);
  const kept = count ?? usual.count;
  // Some hits are no negatives: as many again are looked at, as usual.
  const asked = { ...usual, split, count: kept, depth: depth ?? Math.max(usual.depth, 2 * kept) };
  const bench = new Workbench(prepared, progress, new StageLog(prepared.store));
  const known = await knownOf(bench);
  return bench.made(bm25Negatives(indexTerms(asked.scoring, known), asked, known));
}

async function minedByModel(request: MineRequest & { checkpoint: string }, progress: Progress) {
  const { split, count, config } = request;
  const depth = request.depth ?? config.stage2.depth;
  return withCheckpoint(
    { ...request, asked: { split, missing } },
    progress,
    async (bench, { stages, known }) => {
      const { system, queries, shards } = stages;
      const { identicalIds } = askedOf(request, known, split);
      const run = search({ system, queries, shards }, { split, depth }, config, known);
      const mining = { split, identicalIds, negatives: count ?? null, margins: marginsOf(config) };
      const mined = await bench.made(mine(run, { queries, shards }, mining, known));
      // Behind the search, which may open the index part by part.
      for (const remark of searcherRemarks(await bench.searching(shards))) progress.note(remark);
      return mined;
    },
  );
}

/** What the system finds, as `minedByModel` takes what a checkpoint finds. */
function minedBySystem(request: MineRequest & { system: string }, progress: Progress) {
  const { split, count, config } = request;
  const asked = {
    split,
    missing,
    depth: request.depth ?? config.stage2.depth,
    identicalIds: 'kept',
  } as const;
  return withHits(request, asked, progress, async (answering, prepared, log) => {
    for (const remark of answering.remarks) progress.note(remark);
    const bench = new Workbench(prepared, progress, log);
    const identicalIds = identicalIdsOf(config, prepared.dataset);
    const { run, vectors } = answering.stages;
    const margins = marginsOf(config);
    if (margins !== undefined && vectors === undefined) noteWithoutScores(request.system, progress);
    const wanted = { split, identicalIds, negatives: count ?? null, ...(vectors && { margins }) };
    const searched = vectors && margins ? vectors : answering.index;
    return bench.made(mine(run, searched, wanted, await knownOf(bench)));
  });
}
