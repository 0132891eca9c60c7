/** What an index of terms and searching it take here: the beginning of the collection is really indexed and searched. */

import { closing } from '../../closing.js';
import { openSparse } from '../../search/bm25.js';
import { bm25Negatives } from '../../stages/bm25-negatives.js';
import { indexTerms, scoringOf } from '../../stages/index-terms.js';
import { knownOf } from '../../stages/known.js';
import type { Workbench } from '../../stages/workbench.js';
import { bm25Asked } from '../negative-sources.js';
import type { PartOfDataset } from './part-of-dataset.js';

export interface TermRates {
  /** The seconds of indexing. */
  secondsPerPassage: number;
  indexed: number;
  /** By query, in proportion to the passages of the index. */
  secondsPerSearch: number;
  searched: number;
}

/** @param bench where it goes again, with the part as its dataset */
export async function termRates({ passages }: PartOfDataset, bench: Workbench): Promise<TermRates> {
  const { config, dataset } = bench;
  const { depth, memoryMiB } = config.search;
  const { index: stage, scoring } = await termsOf(bench);
  const started = performance.now();
  const { folder } = await bench.made(stage);
  const indexSeconds = secondsSince(started);
  const { index, searcher } = await openSparse(folder, scoring, memoryMiB);
  return closing(index, async () => {
    const queries = (await dataset.queries('test')).map(({ text }) => text);
    await searcher.search(queries, depth);
    const from = performance.now();
    await searcher.search(queries, depth);
    return {
      secondsPerPassage: indexSeconds / passages.length,
      indexed: passages.length,
      secondsPerSearch: secondsSince(from) / queries.length / passages.length,
      searched: queries.length,
    };
  });
}

export interface NegativesRates {
  secondsPerPassage: number;
  /** By query, in proportion to the passages of the index. */
  secondsPerQuery: number;
  queries: number;
}

/** The rates of BM25's negatives: index, search, and looking for answers in what was found. @param bench as for `termRates` */
export async function negativesRates({ passages }: PartOfDataset, bench: Workbench): Promise<NegativesRates> {
  const { index, known } = await termsOf(bench);
  const started = performance.now();
  await bench.made(index);
  const indexed = performance.now();
  const asked = { ...bm25Asked(bench.config), split: 'train' } as const;
  await bench.made(bm25Negatives(index, asked, known));
  const queries = (await bench.dataset.queries('train')).length;
  return {
    secondsPerPassage: (indexed - started) / 1000 / passages.length,
    secondsPerQuery: secondsSince(indexed) / Math.max(1, queries) / passages.length,
    queries,
  };
}

async function termsOf(bench: Workbench) {
  const known = await knownOf(bench);
  const scoring = scoringOf(bench.config);
  return { known, scoring, index: indexTerms(scoring, known) };
}

const secondsSince = (started: number) => (performance.now() - started) / 1000;
