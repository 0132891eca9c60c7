/** BM25 negatives (DPR, section 3.2): passages that a query's words bring up and that do not answer it. */
import type { Dataset, Split } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { readPassages } from '../dataset/reading.js';
import { AnswersOfHits } from './answer-hits.js';
import type { Bm25Searcher } from './bm25.js';
import { CopiesOfPositives } from './copied-positives.js';

export interface Bm25NegativeOptions {
  /** Negatives wanted per query. */
  count: number;
  /** Hits looked at per query; more than `count`, since some hold an answer or are relevant. */
  depth: number;
  /** Called now and then with the number of queries done. */
  onProgress?(queries: number): void;
}

export interface Bm25Negatives {
  /** By query id, best first; every query of the split, also one that has none. */
  negatives: Map<string, readonly string[]>;
  /** Hits left out because they are judged relevant, and because they hold an answer. */
  relevant: number;
  answering: number;
  /** Hits left out because they are a positive word for word, under another id. */
  copies: number;
  /** Queries that have fewer than were wanted. */
  tooFew: number;
}

/**
 * The best hits of every query of a split that are not judged relevant, no copy of what is, and, where queries have answers, hold
 * none of them (DPR's matching, in the text and not the title). Queries are searched first; the collection is then read
 * once.
 */
export async function bm25Negatives(
  dataset: Dataset,
  split: Split,
  searcher: Bm25Searcher,
  { count, depth, onProgress }: Bm25NegativeOptions,
): Promise<Bm25Negatives> {
  const queries = await dataset.queries(split);
  const positives = await relevantPassages(dataset, split);
  const identifiers = await searcher.index.identifiers();
  let relevant = 0;
  /** [Q, depth] ordinals of hits, -1 where one was left out. */
  const hits = new Int32Array(queries.length * depth).fill(-1);
  for (const [q, { queryId, text }] of queries.entries()) {
    const { ordinals, counts } = await searcher.search([text], depth);
    const own = new Set(positives.get(queryId));
    for (let i = 0; i < counts[0]!; i++) {
      if (own.has(identifiers.at(ordinals[i]!))) relevant++;
      else hits[q * depth + i] = ordinals[i]!;
    }
    if ((q + 1) % 100 === 0) onProgress?.(q + 1);
  }
  onProgress?.(queries.length);
  const { answerMatching: mode } = dataset;
  const copiesOf = new CopiesOfPositives(
    dataset,
    queries.map(({ queryId }) => positives.get(queryId)),
    hits,
    identifiers,
  );
  const answers = mode && new AnswersOfHits(mode, queries, { depth, ordinals: hits });
  await readPassages(dataset, [copiesOf, ...(answers ? [answers] : [])]);
  let copies = 0;
  let answering = 0;
  for (const [place, ordinal] of hits.entries()) {
    if (ordinal < 0) continue;
    const isCopy = copiesOf.has(Math.floor(place / depth), ordinal);
    if (!isCopy && answers?.flags[place] !== 1) continue;
    hits[place] = -1;
    if (isCopy) copies++;
    else answering++;
  }
  const negatives = new Map<string, readonly string[]>();
  let tooFew = 0;
  for (const [q, { queryId }] of queries.entries()) {
    const kept = hits.subarray(q * depth, (q + 1) * depth).filter((ordinal) => ordinal >= 0);
    if (kept.length < count) tooFew++;
    negatives.set(
      queryId,
      Array.from(kept.subarray(0, count), (ordinal) => identifiers.at(ordinal)),
    );
  }
  return { negatives, relevant, answering, copies, tooFew };
}
