/** Putting the first hits of a run in the order of another system's vectors. */
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import { openIndex } from '../index/vector-index.js';
import { HitParts, readHits } from '../pipeline/hit-files.js';
import { inParts, partQueriesOf } from '../pipeline/query-search.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import { hitsOfRange } from '../search/passages.js';
import { PassageScorer, rerankHits } from '../search/rerank.js';
import type { PassageHits } from '../search/search.js';
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

/** @param run of the first system @param vectors of the second, and of the queries of the same split @param system its name */
export function rerank(
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
      const index = await openIndex(await at.folderOf(shards));
      try {
        const opened = performance.now();
        const scorer = await PassageScorer.open(index, memoryMiB * 2 ** 20);
        const buildSeconds = (performance.now() - opened) / 1000;
        const conditions = await conditionsHere(1);
        const partQueries = partQueriesOf(true, batchSize);
        const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
        const stage = progress.stage('rerank', asked.length, 'queries');
        await inParts(asked, parts, async (part, before) => {
          const hits: PassageHits[] = [];
          let seconds = 0;
          for (let first = 0; first < part.length; first += batchSize) {
            progress.checkInterrupted();
            const count = Math.min(batchSize, part.length - first);
            const rows = await vectors.read(before + first, count);
            const started = performance.now();
            const those = hitsOfRange(found, before + first, count);
            hits.push(await rerankHits(those, rows, scorer, reranked, depth));
            seconds += (performance.now() - started) / 1000;
            stage.update(before + first + count);
          }
          return { hits, seconds };
        });
        stage.end();
        await parts.join();
        const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
        return { queries: asked.length, depth: parts.depth, searcher: 'rerank', execution };
      } finally {
        await index.close();
      }
    },
  };
}
