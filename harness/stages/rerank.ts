/** Putting the first hits of a run in the order of another system's vectors. */
import { closing } from '../closing.js';
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import { openIndex } from '../index/vector-index.js';
import { HitParts, readHits } from '../pipeline/hit-files.js';
import { inBatches, partQueriesOf } from '../pipeline/query-search.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import { hitsOfRange } from '../search/passages.js';
import { PassageScorer, rerankHits } from '../search/rerank.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts } from './search.js';
import type { SystemStages } from './systems.js';

export interface RerankSettings {
  split: Split;
  /** Hits that get a new order. */
  reranked: number;
  /** Hits per query that are kept. */
  depth: number;
}

/** The stage that puts the hits of a run in a new order. @param system the name of both */
export type Ordering = (
  run: Stage<RunFacts>,
  asked: RerankSettings,
  system: string,
  known: Known,
) => Stage<RunFacts>;

export const byVectors =
  (vectors: NonNullable<SystemStages['vectors']>): Ordering =>
  (run, asked, system, known) =>
    rerank(run, vectors, asked, system, known);

/** @param run of the first system @param vectors of the second, and of the queries of the same split @param system its name */
function rerank(
  run: Stage<RunFacts>,
  { shards, queries }: NonNullable<SystemStages['vectors']>,
  { split, reranked, depth }: RerankSettings,
  system: string,
  { dataset, code }: Known,
): Stage<RunFacts> {
  return {
    name: 'rerank',
    kind: 'runs',
    version: 'reranked run 1',
    needs: { run, queries, shards },
    inputs: () => ({ ...code('rerank', { dataset }), split, reranked, depth }),
    about: { dataset: dataset.name, system },
    async make(folder, at, key) {
      const { dataset, progress, config } = at;
      const { batchSize, memoryMiB } = config.search;
      const found = await readHits(await at.made(run));
      const vectors = new QueryVectors(await at.made(queries));
      const asked = await dataset.queries(split);
      return closing(await openIndex(await at.folderOf(shards)), async (index) => {
        const opened = performance.now();
        const scorer = await PassageScorer.open(index, memoryMiB * 2 ** 20);
        const buildSeconds = (performance.now() - opened) / 1000;
        const conditions = await conditionsHere(1);
        const partQueries = partQueriesOf(true, batchSize);
        const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
        await inBatches('rerank', asked, parts, batchSize, progress, async ({ length }, first) => {
          const rows = await vectors.read(first, length);
          const started = performance.now();
          const hits = await rerankHits(hitsOfRange(found, first, length), rows, scorer, reranked, depth);
          return { hits, seconds: (performance.now() - started) / 1000 };
        });
        await parts.join();
        const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
        return { queries: asked.length, depth: parts.depth, searcher: 'rerank', execution };
      });
    },
  };
}
