/** What holds of everything that was taken. */
import type { Dataset, Run } from '../../harness/contracts.js';
import { UnfitResult } from './loader.js';

/** Finite scores, one for each passage, and no passage twice. */
export function checkRun(run: Run): void {
  if (run.size === 0) throw new UnfitResult('a run without queries');
  for (const [queryId, { passageIds, scores, ranks }] of run) {
    if (new Set(passageIds).size !== passageIds.length)
      throw new UnfitResult(`${queryId} has a passage twice`);
    for (const values of [scores, ranks]) {
      if (values === undefined) continue;
      if (values.length !== passageIds.length)
        throw new UnfitResult(`${values.length} numbers of ${passageIds.length} hits`);
      checkNumbers(values);
    }
  }
}

export function checkNumbers(values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i])) throw new UnfitResult(`number ${i} is ${values[i]}`);
}

/** Reads everything that a dataset has; ids are not empty and come once. */
export async function readWhole(dataset: Dataset): Promise<void> {
  const ids = new Set<string>();
  for await (const { passageId, title, text } of dataset.passages()) {
    if (typeof title !== 'string' || typeof text !== 'string')
      throw new UnfitResult(`${passageId} has no text`);
    if (passageId === '' || ids.has(passageId)) throw new UnfitResult(`the passage id '${passageId}' again`);
    ids.add(passageId);
  }
  if (ids.size !== dataset.passageCount)
    throw new UnfitResult(`${ids.size} passages of ${dataset.passageCount}`);
  for (const split of ['train', 'dev', 'test'] as const) {
    const queries = await dataset.queries(split);
    if (new Set(queries.map(({ queryId }) => queryId)).size !== queries.length)
      throw new UnfitResult(`a ${split} query twice`);
    const judged = new Set<string>();
    for (const { queryId, passageId, relevance } of await dataset.qrels(split)) {
      if (!Number.isInteger(relevance)) throw new UnfitResult(`a relevance of ${relevance}`);
      const pair = `${queryId}\0${passageId}`;
      if (judged.has(pair)) throw new UnfitResult(`${queryId} and ${passageId} are judged twice`);
      judged.add(pair);
    }
    const negatives = await dataset.negatives?.(split);
    for (const [queryId, list] of negatives ?? [])
      if (new Set(list).size !== list.length) throw new UnfitResult(`a negative of ${queryId} twice`);
    if (dataset.trainingPassages !== undefined) for await (const _ of dataset.trainingPassages(split));
  }
  await dataset.otherNegatives?.();
}
