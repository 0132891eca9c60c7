/** What a dataset says of its hits: judged relevant, having the query's own id. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, Qrels } from '../contracts.js';

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
