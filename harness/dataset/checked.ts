/** What a dataset gives is held to what `Dataset` says, where nothing else would notice: a query twice counts twice, one grade of NaN is a miss. */
import type { Dataset, Qrel, Query, Split } from '../contracts.js';
import { BenchError } from '../errors.js';

/** The same dataset, whose queries and qrels are looked at when they are first given. What was opened is left as it is. */
export function checkedDataset(dataset: Dataset): Dataset {
  // Most give the same list each time.
  const seen = new WeakSet<object>();
  const once = <T extends object>(list: T, check: (list: T) => void): T => {
    if (!seen.has(list)) check(list);
    seen.add(list);
    return list;
  };
  return {
    ...membersOf(dataset),
    queries: async (split) =>
      once(await dataset.queries(split), (list) => assertQueries(list, dataset.name, split)),
    qrels: async (split) =>
      once(await dataset.qrels(split), (list) => assertGrades(list, dataset.name, split)),
  };
}

/** All that it has, whether of its own or of its class; functions still work on itself. */
function membersOf(dataset: Dataset): Dataset {
  const members = new Map<string, unknown>();
  for (
    let at: object | null = dataset;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at)
  )
    for (const name of Object.getOwnPropertyNames(at)) {
      const value: unknown = dataset[name as keyof Dataset];
      if (name !== 'constructor')
        members.set(name, typeof value === 'function' ? value.bind(dataset) : value);
    }
  return Object.fromEntries(members) as unknown as Dataset;
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
