/** BM25 negatives as a stage: for datasets that ship none, and for `bench mine --with bm25`. */
import path from 'node:path';
import type { Dataset, SparseScoring, Split } from '../contracts.js';
import { writeNegatives } from '../interchange/negatives.js';
import type { Progress } from '../progress.js';
import { bm25Negatives } from '../search/bm25-negatives.js';
import type { Artifact, Store } from '../store/store.js';
import { datasetIdentity } from './prepare.js';
import { openSparse, sparseIndexStage } from './sparse-index.js';

export interface NegativesRequest {
  dataset: Dataset;
  store: Store;
  split: Split;
  scoring: SparseScoring;
  /** Negatives per query. */
  count: number;
  /** Hits looked at per query. */
  depth: number;
  memoryMiB: number;
}

export interface NegativesFacts {
  queries: number;
  relevant: number;
  answering: number;
  copies: number;
  tooFew: number;
}

/** Where the stage leaves its file of negatives. */
export const negativesFile = (folder: string): string => path.join(folder, 'negatives.tsv.gz');

export async function bm25NegativesStage(
  { dataset, store, split, scoring, count, depth, memoryMiB }: NegativesRequest,
  progress: Progress,
): Promise<Artifact<NegativesFacts>> {
  const inputs = {
    made: 'bm25 negatives 2',
    dataset: datasetIdentity(dataset),
    split,
    scoring,
    count,
    depth,
  };
  return store.artifact('negatives', inputs, async (folder) => {
    const indexed = await sparseIndexStage(dataset, store, scoring, progress);
    const { index, searcher } = await openSparse(indexed.folder, scoring, memoryMiB);
    try {
      const queries = (await dataset.queries(split)).length;
      const stage = progress.stage('bm25 negatives', queries, 'queries');
      const onProgress = (done: number) => {
        stage.update(done);
        progress.checkInterrupted();
      };
      const { negatives, ...counts } = await bm25Negatives(dataset, split, searcher, {
        count,
        depth,
        onProgress,
      });
      stage.end();
      await writeNegatives(negativesFile(folder), { negatives });
      return { queries, ...counts };
    } finally {
      await index.close();
    }
  });
}
