/** What a dataset gives is held to what `Dataset` says, where nothing else would notice: a query twice counts twice, one grade of NaN is a miss. */
import type { Dataset, Qrel, Query, Split } from '../contracts.js';
import { BenchError } from '../errors.js';

/** The same dataset, whose queries and qrels are looked at when they are first given. */
export function checkedDataset(dataset: Dataset): Dataset {
  const [queries, qrels] = [dataset.queries.bind(dataset), dataset.qrels.bind(dataset)];
  // Most give the same list each time.
  const seen = new WeakSet<object>();
  const once = <T extends object>(list: T, check: (list: T) => void): T => {
    if (!seen.has(list)) check(list);
    seen.add(list);
    return list;
  };
  dataset.queries = async (split) =>
    once(await queries(split), (list) => assertQueries(list, dataset.name, split));
  dataset.qrels = async (split) =>
    once(await qrels(split), (list) => assertGrades(list, dataset.name, split));
  return dataset;
}

/** @throws BenchError DATA_INVALID */
function assertQueries(queries: readonly Query[], name: string, split: Split): void {
  const ids = new Set<string>();
  for (const { queryId, text } of queries) {
    if (ids.has(queryId))
      throw new BenchError('DATA_INVALID', `${name} has two ${split} queries with the id '${queryId}'.`, {
        hint: 'Every query needs an id of its own: remove one of them, or rename it.',
      });
    ids.add(queryId);
    if (typeof text !== 'string')
      throw new BenchError('DATA_INVALID', `${name}: the ${split} query '${queryId}' has no text.`, {
        hint: 'A query without words has an empty text.',
      });
  }
}

/** @throws BenchError DATA_INVALID */
function assertGrades(qrels: readonly Qrel[], name: string, split: Split): void {
  for (const { queryId, passageId, relevance } of qrels) {
    if (Number.isSafeInteger(relevance)) continue;
    throw new BenchError(
      'DATA_INVALID',
      `${name}, ${split}: the relevance of passage '${passageId}' to query '${queryId}' is ${relevance}.`,
      { hint: 'It is a whole number, as in qrels of TREC: 0 is not relevant, 1 or more is.' },
    );
  }
}
