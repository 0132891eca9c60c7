/** Records one by one become rankings and judgements by query. */
import type { Hit, Qrel, Qrels, Run } from '../contracts.js';
import { BenchError } from '../errors.js';

/**
 * Hits become a run, in the order of their ranks. Hits of different queries may come mixed.
 * @throws BenchError DATA_INVALID where a passage stands twice in a query's ranking
 */
export function groupHits(hits: Iterable<Hit>): Run {
  const byQuery = new Map<string, { passageIds: string[]; scores: number[]; ranks: number[] }>();
  for (const { queryId, passageId, score, rank } of hits) {
    let ranking = byQuery.get(queryId);
    if (ranking === undefined) {
      ranking = { passageIds: [], scores: [], ranks: [] };
      byQuery.set(queryId, ranking);
    }
    ranking.passageIds.push(passageId);
    ranking.scores.push(score);
    ranking.ranks.push(rank);
  }
  for (const [queryId, { passageIds }] of byQuery) {
    if (new Set(passageIds).size === passageIds.length) continue;
    const twice = passageIds.find((id, i) => passageIds.indexOf(id) !== i)!;
    throw new BenchError('DATA_INVALID', `Passage '${twice}' is ranked twice for query '${queryId}'.`);
  }
  return byQuery;
}

/**
 * Qrels by query.
 * @throws BenchError DATA_INVALID where a passage is judged twice for a query
 */
export function groupQrels(qrels: Iterable<Qrel>): Qrels {
  const byQuery = new Map<string, Map<string, number>>();
  for (const { queryId, passageId, relevance } of qrels) {
    let judgements = byQuery.get(queryId);
    if (judgements === undefined) {
      judgements = new Map();
      byQuery.set(queryId, judgements);
    }
    if (judgements.has(passageId)) {
      throw new BenchError('DATA_INVALID', `Passage '${passageId}' is judged twice for query '${queryId}'.`);
    }
    judgements.set(passageId, relevance);
  }
  return byQuery;
}
