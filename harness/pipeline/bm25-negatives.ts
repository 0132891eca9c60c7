/** BM25 negatives as a stage: for datasets that ship none, and for `bench mine --with bm25`. */
import type { Dataset, SparseScoring, Split } from '../contracts.js';
import { writeNegatives } from '../interchange/negatives.js';
import type { Progress } from '../progress.js';
import { bm25Negatives } from '../search/bm25-negatives.js';
import type { Artifact, Store } from '../store/store.js';
import { datasetIdentity } from './identity.js';
import { negativesFile } from './negatives-file.js';
import { openSparse } from './open-sparse.js';
import { sparseIndexStage } from './sparse-index.js';
import { stageCode } from './stage-code.js';

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

/** Of the index too, in which they are found. */
export const bm25NegativesCode = (dataset: Pick<Dataset, 'name'>) => stageCode('bm25 negatives', { dataset });

export async function bm25NegativesStage(
  { dataset, store, split, scoring, count, depth, memoryMiB }: NegativesRequest,
  progress: Progress,
): Promise<Artifact<NegativesFacts>> {
  const inputs = {
    made: 'bm25 negatives 2',
    dataset: datasetIdentity(dataset),
    code: bm25NegativesCode(dataset),
    split,
    scoring,
    count,
    depth,
  };
  return store.artifact(
    'negatives',
    inputs,
    async (folder) => {
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
    },
    { dataset: dataset.name },
  );
}
