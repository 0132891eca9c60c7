/** Which passages every example trains on, as numbers, before any text is read. */
import type { Dataset, Query, Split } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { type ExampleSet, exampleSets, type NegativeSource } from './example-sets.js';
import type { RankPool } from './rank-pool.js';

/** What was left out, and why: none of it is silent. */
export interface ExampleCounts {
  examples: number;
  /** Queries that they are of; absent where each query has one example. */
  queries?: number;
  /** Examples of them that files add behind the dataset's own; absent where none does, as is the next. */
  added?: number;
  /** Queries of those files without a positive there. */
  withoutAddedPositive?: number;
  /** Queries without a relevant passage. */
  withoutPositive: number;
  /** Queries without negatives, left out where the dataset trains on each positive; absent elsewhere. */
  withoutNegatives?: number;
  /** Negatives that are judged relevant. */
  positivesAmongNegatives: number;
  /** Hits that mining left out because they are a positive word for word, under another id; absent where there are none. */
  copiesOfPositives?: number;
  /** Queries that have fewer hard negatives than are asked for. */
  tooFewNegatives: number;
  /** Queries for which some source lists fewer than `negativePool`. */
  shortPools: number;
  /** Of dev, where there is a pool of average rank: queries that bring fewer hard or other negatives than it asks for. */
  tooFewHardForRank?: number;
  tooFewOthersForRank?: number;
  /**
   * Where there is a teacher: pairs of an example and its positive, or one of the negatives that it can be given, with and
   * without a score.
   */
  scoredPairs?: number;
  unscoredPairs?: number;
  /** Examples of which fewer than two passages have a score, so that the teacher says nothing of them. */
  untaughtExamples?: number;
  /** Scores of pairs that are not trained on. */
  unusedScores?: number;
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
export interface Plan {
  query: Query;
  /** The query's id in the dataset, or what stands for one. */
  asked: string;
  positive: number;
  /** Where a query has several examples: the positives of all of them. */
  relevant?: ReadonlySet<number>;
  negatives: Uint32Array;
  /** Absent where nobody asks for any. */
  others?: Uint32Array;
  /** Which of several sets it is of, from 0. */
  set: number;
}

/** The passages trained on, numbered as they are first named: lists of them are 4 bytes an entry instead of a string. */
export class PassageNumbers {
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

export async function planExamples(
  dataset: Dataset,
  split: Split,
  options: ExampleOptions,
  sources: readonly NegativeSource[],
  passages: PassageNumbers,
): Promise<{ plans: Plan[]; counts: Omit<ExampleCounts, 'examples'> }> {
  const { negatives, rankPool } = options;
  const relevant = await relevantPassages(dataset, split);
  const sets = await exampleSets(dataset, split, relevant, sources);
  const { hard, other } = rankPool ?? { hard: null, other: 0 };
  const listedOthers = other > 0 ? await dataset.otherNegatives?.() : undefined;
  const trainsOnEach = split === 'train' && dataset.trainsOn === 'each-positive';
  const counts = { withoutPositive: 0, positivesAmongNegatives: 0 };
  const without = { withoutAddedPositive: 0, withoutNegatives: 0 };
  const forRank = { tooFewHardForRank: 0, tooFewOthersForRank: 0 };
  /** Queries, each once: one may stand in several sets. */
  const [tooFew, short] = [new Set<string>(), new Set<string>()];
  const identify = identities(sets);
  const plans: Plan[] = [];
  for (const [set, { queries, positives, each, sources: own, isAdded }] of sets.entries()) {
    for (const query of queries) {
      const { queryId } = query;
      const asked = identify(query, set);
      const listed = positives.get(queryId) ?? [];
      if (listed.length === 0) {
        if (isAdded) without.withoutAddedPositive++;
        else counts.withoutPositive++;
        continue;
      }
      const excluded = isAdded ? [...listed, ...(relevant.get(queryId) ?? [])] : listed;
      const pool = poolOf(queryId, own, excluded, options, passages);
      if (trainsOnEach && negatives > 0 && pool.numbers.size === 0) {
        without.withoutNegatives++;
        continue;
      }
      counts.positivesAmongNegatives += pool.positives;
      if (own.length > 0 && pool.numbers.size < negatives) tooFew.add(asked);
      if (pool.isShort) short.add(asked);
      if (pool.numbers.size < (hard ?? 0)) forRank.tooFewHardForRank++;
      const others = (listedOthers?.get(queryId) ?? [])
        .filter((id) => !listed.includes(id) && !pool.numbers.has(passages.find(id) ?? -1))
        .slice(0, other);
      if (others.length < other) forRank.tooFewOthersForRank++;
      const rest = {
        query,
        asked,
        negatives: Uint32Array.from(pool.numbers),
        ...(others.length > 0 && { others: Uint32Array.from(others, (id) => passages.of(id)) }),
        set,
      };
      const trained = each ? [...new Set(listed)] : listed.slice(0, 1);
      for (const id of trained) plans.push({ ...rest, positive: passages.of(id) });
    }
  }
  const hasSeveral = trainsOnEach || sets.some(({ isAdded }) => isAdded);
  const queries = hasSeveral ? joinPositives(plans) : undefined;
  const added = plans.filter(({ set }) => sets[set]!.isAdded).length;
  const { withoutAddedPositive, withoutNegatives } = without;
  const copiesOfPositives = sources.reduce((sum, { copies = 0 }) => sum + copies, 0);
  return {
    plans,
    counts: {
      ...(queries !== undefined && { queries }),
      ...(sets.some(({ isAdded }) => isAdded) && { added, withoutAddedPositive }),
      ...(trainsOnEach && { withoutNegatives }),
      ...counts,
      ...(copiesOfPositives > 0 && { copiesOfPositives }),
      tooFewNegatives: tooFew.size,
      shortPools: short.size,
      ...(rankPool && forRank),
    },
  };
}

/** What a query's negatives are drawn from in one set. @param excluded relevant passages */
function poolOf(
  queryId: string,
  sources: ExampleSet['sources'],
  excluded: readonly string[],
  { negatives, negativePool, rankPool }: ExampleOptions,
  passages: PassageNumbers,
) {
  const pool = { numbers: new Set<number>(), positives: 0, isShort: false };
  if (Math.max(negatives, rankPool?.hard ?? 0) === 0) return pool;
  for (const source of sources) {
    const listed = source.negatives.get(queryId) ?? [];
    const usable = listed.slice(0, negativePool).filter((id) => !excluded.includes(id));
    pool.positives += Math.min(listed.length, negativePool) - usable.length;
    for (const id of usable) pool.numbers.add(passages.of(id));
    pool.isShort ||= usable.length < negativePool;
  }
  return pool;
}

/** Which query it is, whichever set it stands in: a file with queries of its own may ask what the dataset asks. */
function identities(sets: readonly ExampleSet[]): (query: Query, set: number) => string {
  const byText = new Map<string, string>();
  if (sets.some(({ hasOwnQueries }) => hasOwnQueries)) {
    for (const [set, { queries, hasOwnQueries }] of sets.entries()) {
      for (const { queryId, text } of queries) {
        if (!byText.has(text)) byText.set(text, hasOwnQueries ? `${set}\0${queryId}` : queryId);
      }
    }
  }
  return ({ queryId, text }, set) => (sets[set]!.hasOwnQueries ? byText.get(text)! : queryId);
}

/** Gives every example the positives of all examples of its query. @returns how many queries there are */
function joinPositives(plans: readonly Plan[]): number {
  const byQuery = new Map<string, Set<number>>();
  for (const plan of plans) {
    const relevant = byQuery.get(plan.asked) ?? new Set();
    byQuery.set(plan.asked, relevant.add(plan.positive));
    plan.relevant = relevant;
  }
  return byQuery.size;
}
