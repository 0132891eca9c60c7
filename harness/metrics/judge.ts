/** A ranking and its judgements become the numbers that measures work on. */
import type { Ranking } from '../contracts.js';
import type { JudgedQuery } from './measure.js';

/**
 * How hits of equal score are ordered. `as-ranked`: as the run ranks them, scores are not looked at. `trec_eval`:
 * by score descending, then passage id descending by bytes; ranks are not looked at, and scores are compared as
 * 32-bit floats, which is how trec_eval 9.0.8 keeps them; version 10 has doubles.
 */
export type TieRule = 'trec_eval' | 'as-ranked';

export interface JudgeOptions {
  ties: TieRule;
  /** Lowest relevance that counts as relevant. */
  relevance: number;
  /** Hits that count, from the top. */
  depth: number;
  /** Whether a hit whose passage id is the query's id stays in the ranking; `kept` where absent. */
  identicalIds?: 'dropped' | 'kept' | undefined;
  /** Whether hits that nobody judged, or whose judgement is below 0, stay in the ranking; `kept` where absent. */
  unjudged?: 'dropped' | 'kept' | undefined;
}

const none: ReadonlyMap<string, number> = new Map();

export function judge(
  queryId: string,
  ranking: Ranking | undefined,
  qrels: ReadonlyMap<string, number> = none,
  firstAnswerRank: number | undefined,
  options: JudgeOptions,
): JudgedQuery {
  const looked = ranking === undefined ? [] : ranked(queryId, ranking, options).slice(0, options.depth);
  // trec_eval counts the depth first.
  const passageIds = options.unjudged === 'dropped' ? looked.filter(isJudged(qrels)) : looked;
  const hitCount = passageIds.length;
  const gains = new Float64Array(hitCount);
  const relevant = new Uint8Array(hitCount);
  const judged = new Uint8Array(hitCount);
  for (let i = 0; i < hitCount; i++) {
    const relevance = qrels.get(passageIds[i]!);
    if (relevance === undefined) continue;
    gains[i] = Math.max(0, relevance);
    relevant[i] = relevance >= options.relevance ? 1 : 0;
    judged[i] = relevance >= 0 ? 1 : 0;
  }
  let relevantCount = 0;
  let notRelevantCount = 0;
  const positive: number[] = [];
  for (const relevance of qrels.values()) {
    if (relevance >= options.relevance) relevantCount++;
    else if (relevance >= 0) notRelevantCount++;
    if (relevance > 0) positive.push(relevance);
  }
  const idealGains = Float64Array.from(positive).sort().reverse();
  const counts = { hitCount, relevantCount, notRelevantCount };
  return { ...counts, gains, relevant, judged, idealGains, firstAnswerRank };
}

const isJudged = (qrels: ReadonlyMap<string, number>) => (id: string) => {
  const relevance = qrels.get(id);
  return relevance !== undefined && relevance >= 0;
};

/** The passage ids, best first. */
function ranked(queryId: string, ranking: Ranking, { ties, identicalIds }: JudgeOptions): readonly string[] {
  const order = ties === 'trec_eval' ? byScore(queryId, ranking) : byRank(ranking);
  const ids = order === undefined ? ranking.passageIds : Array.from(order, (i) => ranking.passageIds[i]!);
  return identicalIds === 'dropped' && ids.includes(queryId) ? ids.filter((id) => id !== queryId) : ids;
}

function byScore(queryId: string, { passageIds, scores }: Ranking): Uint32Array {
  if (scores === undefined) {
    throw new TypeError(`ties as in trec_eval need scores, and the ranking of query '${queryId}' has none`);
  }
  const rounded = Float32Array.from(scores);
  return indices(passageIds.length).sort(
    (a, b) => rounded[b]! - rounded[a]! || compareBytes(passageIds[b]!, passageIds[a]!),
  );
}

/** Undefined where the order given is the ranking already. */
function byRank({ passageIds, ranks }: Ranking): Uint32Array | undefined {
  if (ranks === undefined) return undefined;
  return indices(passageIds.length).sort((a, b) => ranks[a]! - ranks[b]! || a - b);
}

const indices = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i);

/** The order of the UTF-8 bytes (strcmp), which is not that of UTF-16 where surrogates meet U+E000 to U+FFFF. */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    if (isSurrogate(x) === isSurrogate(y)) return x - y;
    return isSurrogate(x) ? 1 : -1;
  }
  return a.length - b.length;
}

const isSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xe000;
