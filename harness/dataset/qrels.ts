/** Judgements by query: what measures look up, and what is relevant. */
import type { Dataset, Qrel, Qrels, Split } from '../contracts.js';

/** Both in the order of the judgements. */
export function qrelsById(qrels: Iterable<Qrel>): Qrels {
  const byQuery = new Map<string, Map<string, number>>();
  for (const { queryId, passageId, relevance } of qrels) {
    const judged = byQuery.get(queryId);
    if (judged === undefined) byQuery.set(queryId, new Map([[passageId, relevance]]));
    else judged.set(passageId, relevance);
  }
  return byQuery;
}

/**
 * What a split trains on and mines for: passage ids by query id, in the order of the judgements, of relevance 1 or more.
 * `relevantFrom` plays no part, which is a matter of measures: a track grades its topics, not what trains. Queries without
 * a relevant passage are not in it.
 */
export async function relevantPassages(
  dataset: Pick<Dataset, 'qrels'>,
  split: Split,
): Promise<Map<string, string[]>> {
  const relevant = new Map<string, string[]>();
  for (const { queryId, passageId, relevance } of await dataset.qrels(split)) {
    if (relevance < 1) continue;
    const ids = relevant.get(queryId);
    if (ids === undefined) relevant.set(queryId, [passageId]);
    else ids.push(passageId);
  }
  return relevant;
}
