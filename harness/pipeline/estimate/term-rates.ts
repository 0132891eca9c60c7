/** What an index of terms and searching it take here: the beginning of the collection is really indexed and searched. */
import type { BenchConfig } from '../../config/config.js';
import type { SparseScoring, Split } from '../../contracts.js';
import type { Progress } from '../../progress.js';
import type { Store } from '../../store/store.js';
import { bm25NegativesStage } from '../bm25-negatives.js';
import { openSparse } from '../open-sparse.js';
import { sparseIndexStage } from '../sparse-index.js';
import type { PartOfDataset } from './part-of-dataset.js';

export interface TermRates {
  /** Of indexing. */
  secondsPerPassage: number;
  indexed: number;
  /** By query, in proportion to the passages of the index. */
  secondsPerSearch: number;
  searched: number;
}

/** @param store one that goes again */
export async function termRates(
  { dataset, passages }: PartOfDataset,
  scoring: SparseScoring,
  { search: { depth, memoryMiB } }: BenchConfig,
  split: Split,
  store: Store,
  progress: Progress,
): Promise<TermRates> {
  const started = performance.now();
  const { folder } = await sparseIndexStage(dataset, store, scoring, progress);
  const indexSeconds = secondsSince(started);
  const { index, searcher } = await openSparse(folder, scoring, memoryMiB);
  try {
    const queries = (await dataset.queries(split)).map(({ text }) => text);
    await searcher.search(queries, depth);
    const from = performance.now();
    await searcher.search(queries, depth);
    return {
      secondsPerPassage: indexSeconds / passages.length,
      indexed: passages.length,
      secondsPerSearch: secondsSince(from) / queries.length / passages.length,
      searched: queries.length,
    };
  } finally {
    await index.close();
  }
}

export interface NegativesRates {
  secondsPerPassage: number;
  /** By query, in proportion to the passages of the index. */
  secondsPerQuery: number;
  queries: number;
}

/** Of BM25's negatives: index, search, and looking for answers in what was found. @param store one that goes again */
export async function negativesRates(
  { dataset, passages }: PartOfDataset,
  asked: { scoring: SparseScoring; count: number; depth: number },
  memoryMiB: number,
  store: Store,
  progress: Progress,
): Promise<NegativesRates> {
  const started = performance.now();
  await sparseIndexStage(dataset, store, asked.scoring, progress);
  const indexed = performance.now();
  const split = 'train';
  await bm25NegativesStage({ dataset, store, split, memoryMiB, ...asked }, progress);
  const queries = (await dataset.queries(split)).length;
  return {
    secondsPerPassage: (indexed - started) / 1000 / passages.length,
    secondsPerQuery: secondsSince(indexed) / Math.max(1, queries) / passages.length,
    queries,
  };
}

const secondsSince = (started: number) => (performance.now() - started) / 1000;
