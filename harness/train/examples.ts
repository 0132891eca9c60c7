/** From a dataset to training examples: which passages a query trains on, tokenized once each. */
import type { Dataset, Passage, Query, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { TrainingExample } from './batches.js';
import { PassageTokens } from './passage-tokens.js';
import type { RankPool } from './rank-pool.js';

export interface ExampleTokenizer {
  query(text: string): Int32Array;
  passage(passage: Passage): Int32Array;
}

/** Hard negatives of one origin: what a dataset ships, or a file of mined ones. */
export interface NegativeSource {
  /** For errors: a file's name, or `the negatives of squad`. */
  name: string;
  /** Passage ids by query id, best first. */
  negatives: ReadonlyMap<string, readonly string[]>;
}

/** What was left out, and why: none of it is silent. */
export interface ExampleCounts {
  examples: number;
  /** Queries that they are of; absent where each query has one example. */
  queries?: number;
  /** Queries without a relevant passage. */
  withoutPositive: number;
  /** Negatives that are judged relevant. */
  positivesAmongNegatives: number;
  /** Queries that have fewer hard negatives than are asked for. */
  tooFewNegatives: number;
  /** Queries for which some source lists fewer than `negativePool`. */
  shortPools: number;
  /** Of dev, where there is a pool of average rank: queries that bring fewer hard or other negatives than it asks for. */
  tooFewHardForRank?: number;
  tooFewOthersForRank?: number;
}

export interface ExampleOptions {
  /** Hard negatives wanted per query. */
  negatives: number;
  /** How many of a query's negatives are drawn from, best first, of each source. */
  negativePool: number;
  /** The pool of average rank, which dev queries bring negatives to; absent where there is none. */
  rankPool?: RankPool | undefined;
}

/** What a query trains on, as numbers of passages. */
interface Plan {
  query: Query;
  positive: number;
  /** Where the query has an example for each: all its positives. */
  relevant?: ReadonlySet<number>;
  negatives: Uint32Array;
  /** Absent where nobody asks for any. */
  others?: Uint32Array;
}

/** The passages trained on, numbered as they are first named: lists of them are 4 bytes an entry instead of a string. */
class PassageNumbers {
  readonly ids: string[] = [];
  readonly #byId = new Map<string, number>();

  of(id: string): number {
    let number = this.#byId.get(id);
    if (number === undefined) {
      number = this.ids.length;
      this.#byId.set(id, number);
      this.ids.push(id);
    }
    return number;
  }

  find(id: string): number | undefined {
    return this.#byId.get(id);
  }
}

/**
 * Reads the collection once and keeps the passages that the split trains on.
 * @param sources where hard negatives come from; none: a query trains against the passages of its batch alone
 * @throws BenchError DATA_INVALID that lists the positives and negatives which name a passage that is not there
 */
export async function trainingExamples(
  dataset: Dataset,
  split: Split,
  tokenizer: ExampleTokenizer,
  options: ExampleOptions,
  sources: readonly NegativeSource[],
): Promise<{ examples: TrainingExample[]; counts: ExampleCounts }> {
  const passages = new PassageNumbers();
  const { plans, counts } = await planExamples(dataset, split, options, sources, passages);
  const tokens = await tokensOf(dataset, split, tokenizer, passages);
  refuseUnknown(dataset, split, plans, { tokens, passages }, sources);
  const examples = plans.map(
    ({ query, positive, relevant, negatives, others }): TrainingExample => ({
      queryId: query.queryId,
      query: tokenizer.query(query.text),
      ...(relevant && { judged: { positive, relevant } }),
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
  return { examples, counts: { ...counts, examples: examples.length } };
}

async function planExamples(
  dataset: Dataset,
  split: Split,
  { negatives, negativePool, rankPool }: ExampleOptions,
  sources: readonly NegativeSource[],
  passages: PassageNumbers,
) {
  const positives = new Map<string, string[]>();
  for (const { queryId, passageId, relevance } of await dataset.qrels(split)) {
    // Not from dataset.relevantFrom on, which is a matter of measures: a track grades its topics, not what trains.
    if (relevance < 1) continue;
    const ids = positives.get(queryId);
    if (ids === undefined) positives.set(queryId, [passageId]);
    else ids.push(passageId);
  }
  const counts = { withoutPositive: 0, positivesAmongNegatives: 0, tooFewNegatives: 0, shortPools: 0 };
  const forRank = { tooFewHardForRank: 0, tooFewOthersForRank: 0 };
  const { hard, other } = rankPool ?? { hard: null, other: 0 };
  const listedOthers = other > 0 ? await dataset.otherNegatives?.() : undefined;
  const plans: Plan[] = [];
  const each = split === 'train' && dataset.trainsOn === 'each-positive';
  let queries = 0;
  for (const query of await dataset.queries(split)) {
    const relevant = positives.get(query.queryId);
    if (relevant === undefined) {
      counts.withoutPositive++;
      continue;
    }
    const pool = new Set<number>();
    let short = false;
    for (const source of Math.max(negatives, hard ?? 0) === 0 ? [] : sources) {
      const listed = source.negatives.get(query.queryId) ?? [];
      const usable = listed.slice(0, negativePool).filter((id) => !relevant.includes(id));
      counts.positivesAmongNegatives += Math.min(listed.length, negativePool) - usable.length;
      for (const id of usable) pool.add(passages.of(id));
      short ||= usable.length < negativePool;
    }
    if (sources.length > 0 && pool.size < negatives) counts.tooFewNegatives++;
    if (short) counts.shortPools++;
    if (pool.size < (hard ?? 0)) forRank.tooFewHardForRank++;
    const others = (listedOthers?.get(query.queryId) ?? [])
      .filter((id) => !relevant.includes(id) && !pool.has(passages.find(id) ?? -1))
      .slice(0, other);
    if (others.length < other) forRank.tooFewOthersForRank++;
    const own = {
      negatives: Uint32Array.from(pool),
      ...(others.length > 0 && { others: Uint32Array.from(others, (id) => passages.of(id)) }),
    };
    if (!each) plans.push({ query, positive: passages.of(relevant[0]!), ...own });
    else {
      const numbers = new Set(relevant.map((id) => passages.of(id)));
      for (const positive of numbers) plans.push({ query, positive, relevant: numbers, ...own });
    }
    queries++;
  }
  return { plans, counts: { ...(each && { queries }), ...counts, ...(rankPool && forRank) } };
}

/** The tokens of every passage that is trained on; what the dataset does not have is left out. */
async function tokensOf(
  dataset: Dataset,
  split: Split,
  tokenizer: ExampleTokenizer,
  passages: PassageNumbers,
): Promise<PassageTokens> {
  const tokens = new PassageTokens(passages.ids.length);
  // Passages that come with the queries are sought there first; mined ones may be anywhere in the collection.
  const readings = [() => dataset.trainingPassages?.(split), () => dataset.passages()];
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
    if (!tokens.has(positive)) faults.push(`'${ids[positive]}', positive of query '${query.queryId}'`);
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
