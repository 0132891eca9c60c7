/** BM25 negatives (DPR, section 3.2): passages that a query's words bring up and that do not answer it. */
import type { Dataset, Query, Split } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { AnswerMatcher, PassageText } from '../text/answers.js';
import type { Bm25Searcher } from './bm25.js';
import { copiesOfPositives } from './copied-positives.js';

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
 * none of them (DPR's matching, in the text and not the title). Queries are searched first; the collection is then read once for
 * the copies, and once for the answers.
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
  const copies = await dropCopies(dataset, queries, positives, hits, depth);
  const answering =
    dataset.answerMatching === undefined ? 0 : await dropAnswering(dataset, queries, hits, depth);
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

/** Takes out the hits that are a positive of their query under another id; returns how many. */
async function dropCopies(
  dataset: Dataset,
  queries: readonly Query[],
  positives: ReadonlyMap<string, readonly string[]>,
  hits: Int32Array,
  depth: number,
): Promise<number> {
  const own = queries.map(({ queryId }) => positives.get(queryId));
  const isCopy = await copiesOfPositives(dataset, own, hits);
  let dropped = 0;
  for (const [place, ordinal] of hits.entries()) {
    if (ordinal < 0 || !isCopy(Math.floor(place / depth), ordinal)) continue;
    hits[place] = -1;
    dropped++;
  }
  return dropped;
}

/** Takes out the hits whose text holds an answer of their query; returns how many. */
async function dropAnswering(
  dataset: Dataset,
  queries: readonly Query[],
  hits: Int32Array,
  depth: number,
): Promise<number> {
  const matchers = queries.map(({ answers = [] }) => new AnswerMatcher(answers, dataset.answerMatching!));
  const places = Float64Array.from(hits, (ordinal, place) =>
    ordinal < 0 ? -1 : ordinal * hits.length + place,
  )
    .filter((key) => key >= 0)
    .sort();
  let dropped = 0;
  let next = 0;
  let ordinal = 0;
  for await (const { text } of dataset.passages()) {
    if (next === places.length) break;
    const end = (ordinal + 1) * hits.length;
    if (places[next]! < end) {
      const prepared = new PassageText(text);
      for (; next < places.length && places[next]! < end; next++) {
        const place = places[next]! % hits.length;
        if (!matchers[Math.floor(place / depth)]!.matches(prepared)) continue;
        hits[place] = -1;
        dropped++;
      }
    }
    ordinal++;
  }
  return dropped;
}
