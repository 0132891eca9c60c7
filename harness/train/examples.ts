/** From a dataset to training examples: which passages a query trains on, tokenized once each. */
import type { Dataset, Passage, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { TrainingExample } from './batches.js';
import {
  type ExampleCounts,
  type ExampleOptions,
  PassageNumbers,
  type Plan,
  planExamples,
} from './example-plans.js';
import type { NegativeSource } from './example-sets.js';
import { PassageTokens } from './passage-tokens.js';
import { type TeacherSource, taughtPairs } from './taught-pairs.js';

export type { ExampleCounts, ExampleOptions } from './example-plans.js';
export type { NegativeSource } from './example-sets.js';

export interface ExampleTokenizer {
  query(text: string): Int32Array;
  passage(passage: Passage): Int32Array;
}

/**
 * Reads the collection once and keeps the passages that the split trains on.
 * @param sources where hard negatives and further examples come from; none: a query trains against the passages of its
 *   batch alone
 * @param teacher scores its pairs; none where absent
 * @throws BenchError DATA_INVALID for scores that do not fit, and one that lists the positives and negatives which name a passage that is not there
 */
export async function trainingExamples(
  dataset: Dataset,
  split: Split,
  tokenizer: ExampleTokenizer,
  options: ExampleOptions,
  sources: readonly NegativeSource[],
  teacher?: TeacherSource,
): Promise<{ examples: TrainingExample[]; counts: ExampleCounts }> {
  const passages = new PassageNumbers();
  const { plans, counts } = await planExamples(dataset, split, options, sources, passages);
  const lesson = teacher && (await taughtPairs(plans, passages, teacher));
  const tokens = await tokensOf(dataset, split, tokenizer, passages, sources);
  refuseUnknown(dataset, split, plans, { tokens, passages }, sources);
  const examples = plans.map(
    ({ query, positive, relevant, negatives, others, set }, i): TrainingExample => ({
      queryId: query.queryId,
      query: tokenizer.query(query.text),
      ...(relevant && { judged: { positive, relevant } }),
      ...(set > 0 && { set }),
      ...(lesson && { taught: lesson.taught[i]! }),
      // Read out when they are asked for: every query of a large set has a hundred, and a step draws a few.
      get positive() {
        return tokens.of(positive);
      },
      get negatives() {
        return Array.from(negatives, (number) => tokens.of(number));
      },
      get others() {
        return Array.from(others ?? [], (number) => tokens.of(number));
      },
    }),
  );
  return { examples, counts: { ...counts, ...lesson?.counts, examples: examples.length } };
}

/** The tokens of every passage that is trained on; what the dataset does not have is left out. */
async function tokensOf(
  dataset: Dataset,
  split: Split,
  tokenizer: ExampleTokenizer,
  passages: PassageNumbers,
  sources: readonly NegativeSource[],
): Promise<PassageTokens> {
  const tokens = new PassageTokens(passages.ids.length);
  // Passages that come with the queries are sought there first; mined ones may be anywhere in the collection.
  const readings = [
    () => dataset.trainingPassages?.(split),
    ...sources.map(
      ({ own }) =>
        () =>
          own?.passages(),
    ),
    () => dataset.passages(),
  ];
  for (const read of readings) {
    if (tokens.isComplete) break;
    for await (const passage of read() ?? []) {
      const number = passages.find(passage.passageId);
      if (number === undefined || tokens.has(number)) continue;
      tokens.add(number, tokenizer.passage(passage));
      if (tokens.isComplete) break;
    }
  }
  return tokens;
}

/** Unknown ids shown in an error. */
const shown = 10;

function refuseUnknown(
  dataset: Dataset,
  split: Split,
  plans: readonly Plan[],
  { tokens, passages: { ids } }: { tokens: PassageTokens; passages: PassageNumbers },
  sources: readonly NegativeSource[],
): void {
  if (tokens.isComplete) return;
  const faults: string[] = [];
  for (const { query, positive, negatives, others } of plans) {
    if (!tokens.has(positive)) {
      const id = ids[positive]!;
      const from = sources.find((source) => source.positives?.get(query.queryId)?.includes(id));
      const origin = from === undefined ? '' : ` (${from.name})`;
      faults.push(`'${id}', positive of query '${query.queryId}'${origin}`);
    }
    for (const number of negatives) {
      if (tokens.has(number)) continue;
      const id = ids[number]!;
      const from = sources.find((source) => source.negatives.get(query.queryId)?.includes(id));
      faults.push(`'${id}', negative of query '${query.queryId}' (${from?.name})`);
    }
    for (const number of others ?? []) {
      if (!tokens.has(number)) faults.push(`'${ids[number]}', other negative of query '${query.queryId}'`);
    }
  }
  const more = faults.length > shown ? [`and ${faults.length - shown} more`] : [];
  const list = [...faults.slice(0, shown), ...more].map((fault) => `\n  ${fault}`).join('');
  throw new BenchError(
    'DATA_INVALID',
    `The ${split} queries train on passages that ${dataset.name} does not have:${list}`,
    { hint: 'Use the negatives and qrels that belong to this collection.' },
  );
}
