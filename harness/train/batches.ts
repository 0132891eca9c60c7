/** From training examples to padded batches of a fixed shape. */
import { refuseBeyondMemory } from '../program/memory.js';
import { stream } from '../random.js';
import { paddedLength, padTexts } from '../text/padding.js';
import type { TaughtPairs } from './taught-pairs.js';

/** Which passage a positive is, and which are relevant to its query: numbers that passages of one split have. */
export interface JudgedPositive {
  positive: number;
  relevant: ReadonlySet<number>;
}

/** A query with the passages it trains on; texts are token ids. */
export interface TrainingExample {
  queryId: string;
  query: Int32Array;
  positive: Int32Array;
  /** Where a query has several examples: see `otherPositives`. */
  judged?: JudgedPositive;
  /** Which of several sets of examples it is of; absent for the first. */
  set?: number;
  /** Hard negatives it can be given, best first. */
  negatives: readonly Int32Array[];
  /** What a teacher scores them; absent where there is none. */
  taught?: TaughtPairs;
  /** Negatives that are not hard, for the pool of average rank alone. */
  others?: readonly Int32Array[];
}

/**
 * B queries and P = B (1 + n) passages, ordered [positive_0, its n negatives, positive_1, ...]. Where missing negatives
 * are padded, n is the most that a query of the batch has.
 */
export interface Batch {
  queries: number;
  passages: number;
  queryTokens: number;
  passageTokens: number;
  /** [B, queryTokens] and [P, passageTokens], row-major. */
  queryIds: Int32Array;
  queryMask: Float32Array;
  passageIds: Int32Array;
  passageMask: Float32Array;
  /** [B, P], 1 at each query's own positive. */
  positive: Float32Array;
  /**
   * 1 where the passage takes part in the softmax: [P] for all queries, or [B, P] where a passage may be another's positive
   * and relevant to a query too.
   */
  candidates: Float32Array;
  /** [B, P] each: a teacher's scores, and 1 where there is one, among the query's own passages alone; absent where there is no teacher. */
  teacher?: { scores: Float32Array; scored: Float32Array };
}

export interface BatchOptions {
  batchSize: number;
  /** n, hard negatives per query; 0 where the dataset has none. */
  negatives: number;
  /**
   * What becomes of a place for which a query has no negative: `cycled` draws those it has again, in turn. A query that has
   * none is left out of the softmax there.
   */
  missingNegative: 'left-out' | 'padded' | 'cycled';
  /** What another example's positive is to a query that it is relevant to as well; left out where absent. */
  otherPositives?: 'left-out' | 'negatives';
  maxQueryTokens: number;
  maxPassageTokens: number;
  paddingId: number;
}

/** The order in which an epoch goes through the examples. */
export function epochOrder(count: number, seed: number, epoch: number): Int32Array {
  const order = Array.from({ length: count }, (_, i) => i);
  return Int32Array.from(stream(seed, 'shuffle', epoch).shuffle(order));
}

/**
 * Which negatives an example gets in an epoch: n of its pool, drawn without repetition; of a smaller pool all, and where
 * they are cycled all of them again until there are n.
 */
export function drawNegatives(
  example: TrainingExample,
  options: Pick<BatchOptions, 'negatives' | 'missingNegative'>,
  seed: number,
  draw: string | number,
): readonly Int32Array[] {
  const { negatives } = example;
  return drawPlaces(example, negatives.length, options, seed, draw).map((place) => negatives[place]!);
}

/** Their places in the example's list of so many. */
function drawPlaces(
  example: TrainingExample,
  count: number,
  { negatives: n, missingNegative }: Pick<BatchOptions, 'negatives' | 'missingNegative'>,
  seed: number,
  draw: string | number,
): readonly number[] {
  if (n === 0 || count === 0) return [];
  const pool = Array.from({ length: count }, (_, i) => i);
  // Two examples of one query draw each for itself.
  const own = example.judged === undefined ? [] : [example.judged.positive];
  const set = example.set === undefined ? [] : [`set ${example.set}`];
  const drawn = stream(seed, 'negatives', draw, example.queryId, ...own, ...set).shuffle(pool);
  if (missingNegative !== 'cycled') return drawn.slice(0, n);
  return Array.from({ length: n }, (_, i) => drawn[i % drawn.length]!);
}

/** @param draw names the draw of negatives: the epoch, or 'dev' for negatives that stay the same */
export function makeBatch(
  examples: readonly TrainingExample[],
  seed: number,
  draw: string | number,
  options: BatchOptions,
): Batch {
  const isPadded = options.missingNegative === 'padded';
  const lists = examples.map(({ negatives }) => negatives);
  const places = examples.map((example, e) => drawPlaces(example, lists[e]!.length, options, seed, draw));
  // As the paper's code: padded to what the batch has, so a batch without any negative gets no padding.
  const most = places.reduce((largest, own) => Math.max(largest, own.length), 0);
  const room = isPadded ? most : options.negatives;
  const perQuery = 1 + room;
  // Ids and a mask for each token, and for each query whether a passage is its positive.
  const tokens = examples.reduce((longest, { positive }) => Math.max(longest, positive.length), 1);
  refuseBeyondMemory(
    examples.length * perQuery * (8 * tokens + 4 * examples.length),
    `A batch of ${examples.length} queries with ${perQuery} passages each`,
    'Make train.batchSize or train.negatives smaller.',
  );
  const passages: Int32Array[] = [];
  const candidates = new Float32Array(examples.length * perQuery).fill(1);
  for (const [e, { positive }] of examples.entries()) {
    const own = places[e]!;
    passages.push(positive, ...own.map((place) => lists[e]![place]!));
    for (let i = own.length; i < room; i++) {
      if (!isPadded) candidates[passages.length] = 0;
      passages.push(new Int32Array(0));
    }
  }
  const queries = examples.map(({ query }) => query);
  const queryTokens = paddedLength(queries, options.maxQueryTokens);
  const passageTokens = paddedLength(passages, options.maxPassageTokens);
  const positive = new Float32Array(examples.length * passages.length);
  for (let i = 0; i < examples.length; i++) positive[i * passages.length + i * perQuery] = 1;
  const paddedQueries = padTexts(queries, queryTokens, options.paddingId);
  const paddedPassages = padTexts(passages, passageTokens, options.paddingId);
  return {
    queries: examples.length,
    passages: passages.length,
    queryTokens,
    passageTokens,
    queryIds: paddedQueries.ids,
    queryMask: paddedQueries.mask,
    passageIds: paddedPassages.ids,
    passageMask: paddedPassages.mask,
    positive,
    candidates:
      options.otherPositives !== 'negatives' && examples.some(({ judged }) => judged !== undefined)
        ? withoutOtherPositives(examples, candidates)
        : candidates,
    ...(examples.some(({ taught }) => taught !== undefined) && {
      teacher: teacherOf(examples, places, perQuery),
    }),
  };
}

/** What the teacher says of each query's own passages. @param places of the negatives that each was given */
function teacherOf(
  examples: readonly TrainingExample[],
  places: readonly (readonly number[])[],
  perQuery: number,
): NonNullable<Batch['teacher']> {
  const passages = examples.length * perQuery;
  const scores = new Float32Array(examples.length * passages);
  const scored = new Float32Array(examples.length * passages);
  for (const [e, { taught }] of examples.entries()) {
    const own =
      taught === undefined ? [] : [taught.positive, ...places[e]!.map((at) => taught.negatives[at]!)];
    for (const [i, score] of own.entries()) {
      if (Number.isNaN(score)) continue;
      scores[e * passages + e * perQuery + i] = score;
      scored[e * passages + e * perQuery + i] = 1;
    }
  }
  return { scores, scored };
}

/** @param candidates [P], the same for all @returns [B, P], for each query without what is relevant to it beside its own */
function withoutOtherPositives(examples: readonly TrainingExample[], candidates: Float32Array): Float32Array {
  const passages = candidates.length;
  const perQuery = passages / examples.length;
  const each = new Float32Array(examples.length * passages);
  for (const [i, { judged }] of examples.entries()) {
    each.set(candidates, i * passages);
    for (const [j, other] of examples.entries()) {
      if (i === j || judged === undefined || other.judged === undefined) continue;
      if (judged.relevant.has(other.judged.positive)) each[i * passages + j * perQuery] = 0;
    }
  }
  return each;
}
