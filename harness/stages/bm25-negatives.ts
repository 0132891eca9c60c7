/** BM25 negatives: for datasets that ship none, and for `bench mine --with bm25`. */

import { closing } from '../closing.js';
import type { SparseScoring, Split } from '../contracts.js';
import { negativesFile, writeNegatives } from '../interchange/negatives.js';
import { openSparse } from '../search/bm25.js';
import { bm25Negatives as findNegatives } from '../search/bm25-negatives.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';

interface NegativesSettings {
  split: Split;
  scoring: SparseScoring;
  /** Negatives per query. */
  count: number;
  /** Hits looked at per query. */
  depth: number;
}

interface NegativesFacts {
  queries: number;
  relevant: number;
  answering: number;
  copies: number;
  tooFew: number;
}

/** @param index of terms */
export function bm25Negatives(
  index: Stage,
  { split, scoring, count, depth }: NegativesSettings,
  { dataset, code }: Known,
): Stage<NegativesFacts> {
  return {
    name: 'negatives',
    kind: 'negatives',
    version: 'bm25 negatives 3',
    needs: { index },
    inputs: () => ({ ...code('bm25 negatives', { dataset }), split, scoring, count, depth }),
    about: { dataset: dataset.name },
    async make(folder, at) {
      const { dataset, progress, config } = at;
      const indexed = await at.folderOf(index);
      const { index: opened, searcher } = await openSparse(indexed, scoring, config.search.memoryMiB);
      return closing(opened, async () => {
        const queries = (await dataset.queries(split)).length;
        const stage = progress.stage('bm25 negatives', queries, 'queries');
        const onProgress = (done: number) => {
          stage.update(done);
          progress.checkInterrupted();
        };
        const asked = { count, depth, onProgress };
        const { negatives, ...counts } = await findNegatives(dataset, split, searcher, asked);
        stage.end();
        await writeNegatives(negativesFile(folder), { negatives });
        return { queries, ...counts };
      });
    },
  };
}
