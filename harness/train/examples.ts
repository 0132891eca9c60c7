/** From a dataset to training examples: which passages a query trains on, tokenized once each. */
import type { Dataset, Passage, Query, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { TrainingExample } from './batches.js';

export interface ExampleTokenizer {
  query(text: string): Int32Array;
  passage(passage: Passage): Int32Array;
}

/** What was left out, and why: none of it is silent. */
export interface ExampleCounts {
  examples: number;
  /** Queries without a relevant passage. */
  withoutPositive: number;
  /** Negatives that are judged relevant. */
  positivesAmongNegatives: number;
  /** Queries that have fewer hard negatives than are asked for. */
  tooFewNegatives: number;
}

export interface ExampleOptions {
  /** Hard negatives wanted per query. */
  negatives: number;
  /** How many of a query's negatives are drawn from, best first. */
  negativePool: number;
}

interface Plan {
  query: Query;
  positiveId: string;
  negativeIds: readonly string[];
}

/**
 * Reads the collection once and keeps the passages that the split trains on.
 * @throws BenchError DATA_INVALID where a positive or negative names a passage that is not there
 */
export async function trainingExamples(
  dataset: Dataset,
  split: Split,
  tokenizer: ExampleTokenizer,
  options: ExampleOptions,
): Promise<{ examples: TrainingExample[]; counts: ExampleCounts }> {
  const { plans, counts } = await planExamples(dataset, split, options);
  const wanted = new Map<string, Int32Array | undefined>();
  for (const { positiveId, negativeIds } of plans) {
    wanted.set(positiveId, undefined);
    for (const id of negativeIds) wanted.set(id, undefined);
  }
  if (wanted.size > 0) {
    for await (const passage of dataset.passages()) {
      if (wanted.has(passage.passageId)) wanted.set(passage.passageId, tokenizer.passage(passage));
    }
  }
  const tokensOf = (passageId: string, { query }: Plan): Int32Array => {
    const tokens = wanted.get(passageId);
    if (tokens !== undefined) return tokens;
    throw new BenchError(
      'DATA_INVALID',
      `Query '${query.queryId}' (${split}) trains on the passage '${passageId}', which ${dataset.name} does not have.`,
      { hint: 'Use the negatives and qrels that belong to this collection.' },
    );
  };
  const examples = plans.map((plan) => ({
    queryId: plan.query.queryId,
    query: tokenizer.query(plan.query.text),
    positive: tokensOf(plan.positiveId, plan),
    negatives: plan.negativeIds.map((id) => tokensOf(id, plan)),
  }));
  return { examples, counts: { ...counts, examples: examples.length } };
}

async function planExamples(dataset: Dataset, split: Split, { negatives, negativePool }: ExampleOptions) {
  const positives = new Map<string, string[]>();
  for (const { queryId, passageId, relevance } of await dataset.qrels(split)) {
    if (relevance < 1) continue;
    const ids = positives.get(queryId);
    if (ids === undefined) positives.set(queryId, [passageId]);
    else ids.push(passageId);
  }
  const pools = (await dataset.negatives?.(split)) ?? new Map<string, readonly string[]>();
  const counts = { withoutPositive: 0, positivesAmongNegatives: 0, tooFewNegatives: 0 };
  const plans: Plan[] = [];
  for (const query of await dataset.queries(split)) {
    const relevant = positives.get(query.queryId);
    if (relevant === undefined) {
      counts.withoutPositive++;
      continue;
    }
    const pool = (pools.get(query.queryId) ?? []).slice(0, negativePool);
    const negativeIds = negatives === 0 ? [] : pool.filter((id) => !relevant.includes(id));
    if (negatives > 0) counts.positivesAmongNegatives += pool.length - negativeIds.length;
    if (negativeIds.length < negatives && pools.size > 0) counts.tooFewNegatives++;
    plans.push({ query, positiveId: relevant[0]!, negativeIds });
  }
  return { plans, counts };
}
