/** Which hits hold an answer of their query, as DPR seeks answers. */
import type { Dataset, Passage, Query, Run } from '../contracts.js';
import type { PassageHits } from '../search/search.js';
import { AnswerMatcher, PassageText } from '../text/answers.js';

/** What the queries' answers are, beside the hits that hold them. */
export interface AnswerCounts {
  /** Queries with an answer that every passage holds. */
  matchingAll: number;
  /** Answer patterns that cannot be run. */
  unusable: number;
}

/** A hit of the query at place `query`, by a number that no other hit has. */
interface SoughtHit {
  query: number;
  hit: number;
}

/**
 * @param run is asked about hit by hit
 * @returns by query id, in the order of its hits, 1 where the hit's text holds an answer of its query
 */
export async function answersInRun(
  dataset: Dataset,
  queries: readonly Query[],
  run: Run,
): Promise<AnswerCounts & { flags: ReadonlyMap<string, Uint8Array> }> {
  const flags = new Map<string, Uint8Array>();
  const byPassage = new Map<string, SoughtHit[]>();
  const flagsOf = queries.map(({ queryId }, query) => {
    const { passageIds = [] } = run.get(queryId) ?? {};
    for (const [hit, passageId] of passageIds.entries()) {
      const sought = byPassage.get(passageId);
      if (sought === undefined) byPassage.set(passageId, [{ query, hit }]);
      else sought.push({ query, hit });
    }
    const own = new Uint8Array(passageIds.length);
    flags.set(queryId, own);
    return own;
  });
  const counts = await seek(dataset, queries, {
    isDone: () => byPassage.size === 0,
    take({ passageId }) {
      const sought = byPassage.get(passageId) ?? [];
      byPassage.delete(passageId);
      return sought;
    },
    found({ query, hit }) {
      flagsOf[query]![hit] = 1;
    },
  });
  return { ...counts, flags };
}

/**
 * The same of hits by ordinal, of which there may be too many for an id each.
 * @returns flags [Q, depth], 1 where the hit's text holds an answer of its query
 */
export async function answersInHits(
  dataset: Dataset,
  queries: readonly Query[],
  { depth, ordinals, counts }: Pick<PassageHits, 'depth' | 'ordinals' | 'counts'>,
): Promise<AnswerCounts & { flags: Uint8Array }> {
  const places: number[] = [];
  for (let q = 0; q < queries.length; q++) for (let i = 0; i < counts[q]!; i++) places.push(q * depth + i);
  const byOrdinal = Int32Array.from(places).sort((a, b) => ordinals[a]! - ordinals[b]!);
  const flags = new Uint8Array(ordinals.length);
  let next = 0;
  const found = await seek(dataset, queries, {
    isDone: () => next === byOrdinal.length,
    take(_, ordinal) {
      const sought: SoughtHit[] = [];
      for (; next < byOrdinal.length && ordinals[byOrdinal[next]!] === ordinal; next++)
        sought.push({ query: Math.floor(byOrdinal[next]! / depth), hit: byOrdinal[next]! });
      return sought;
    },
    found({ hit }) {
      flags[hit] = 1;
    },
  });
  return { ...found, flags };
}

/** Hits whose texts are still to be looked at. */
interface Hits {
  isDone(): boolean;
  /** The hits that are this passage; they are not asked for again. */
  take(passage: Passage, ordinal: number): readonly SoughtHit[];
  /** Told of each that holds an answer. */
  found(hit: SoughtHit): void;
}

/** Reads the collection once, as far as there are hits, and prepares each passage that is a hit once; no text is kept. */
async function seek(dataset: Dataset, queries: readonly Query[], hits: Hits): Promise<AnswerCounts> {
  const mode = dataset.answerMatching!;
  const matchers = queries.map(({ answers = [] }) => new AnswerMatcher(answers, mode));
  let ordinal = 0;
  for await (const passage of dataset.passages()) {
    if (hits.isDone()) break;
    const sought = hits.take(passage, ordinal++);
    if (sought.length === 0) continue;
    const prepared = new PassageText(passage.text);
    for (const each of sought) if (matchers[each.query]!.matches(prepared)) hits.found(each);
  }
  return {
    matchingAll: matchers.filter(({ matchesAll }) => matchesAll).length,
    unusable: matchers.reduce((sum, { unusable }) => sum + unusable.length, 0),
  };
}
