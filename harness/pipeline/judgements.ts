/** What a dataset says of its hits: judged relevant, holding an answer, having the query's own id. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, Qrels, Query } from '../contracts.js';
import type { PassageHits } from '../search/search.js';
import { AnswerMatcher, PassageText } from '../text/answers.js';

/** What the configuration asks for, where the dataset has something to drop. */
export function identicalIdsOf(
  { measure: { identicalIds } }: Pick<BenchConfig, 'measure'>,
  { dropsIdenticalIds }: Dataset,
): 'dropped' | 'kept' {
  return dropsIdenticalIds ? identicalIds : 'kept';
}

export function qrelsById(
  qrels: readonly { queryId: string; passageId: string; relevance: number }[],
): Qrels {
  const byQuery = new Map<string, Map<string, number>>();
  for (const { queryId, passageId, relevance } of qrels) {
    const judged = byQuery.get(queryId);
    if (judged === undefined) byQuery.set(queryId, new Map([[passageId, relevance]]));
    else judged.set(passageId, relevance);
  }
  return byQuery;
}

/**
 * Which hits hold an answer. The collection is read once and each passage that is a hit of some query is prepared once,
 * so that no passage's text has to be kept.
 * @returns flags [Q, depth], 1 where the hit's text holds an answer of its query
 */
export async function answerHits(
  dataset: Dataset,
  queries: readonly Query[],
  { depth, ordinals, counts }: Pick<PassageHits, 'depth' | 'ordinals' | 'counts'>,
) {
  const mode = dataset.answerMatching!;
  const matchers = queries.map(({ answers = [] }) => new AnswerMatcher(answers, mode));
  const places: number[] = [];
  for (let q = 0; q < queries.length; q++) for (let i = 0; i < counts[q]!; i++) places.push(q * depth + i);
  const byOrdinal = Int32Array.from(places).sort((a, b) => ordinals[a]! - ordinals[b]!);
  const flags = new Uint8Array(ordinals.length);
  let next = 0;
  let ordinal = 0;
  for await (const { text } of dataset.passages()) {
    if (next === byOrdinal.length) break;
    if (ordinals[byOrdinal[next]!] === ordinal) {
      const prepared = new PassageText(text);
      for (; next < byOrdinal.length && ordinals[byOrdinal[next]!] === ordinal; next++) {
        const place = byOrdinal[next]!;
        if (matchers[Math.floor(place / depth)]!.matches(prepared)) flags[place] = 1;
      }
    }
    ordinal++;
  }
  return {
    flags,
    matchingAll: matchers.filter(({ matchesAll }) => matchesAll).length,
    unusable: matchers.reduce((sum, { unusable }) => sum + unusable.length, 0),
  };
}
