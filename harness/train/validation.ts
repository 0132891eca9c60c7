/** What dev says of the model after an epoch: cross entropy over batches, and the average rank of DPR. */
import type { Tensor2D, Tensor3D } from '../contracts.js';
import type { Retriever } from '../model/retriever.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import type { ArraySpec, Engine, Program, VariableSet } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';
import { ProgramCache } from '../tensor/program-cache.js';
import { type BatchOptions, drawNegatives, type TrainingExample } from './batches.js';
import { type EncodedDev, encodePassages, paddingOf } from './encoded-dev.js';
import { crossEntropy } from './loss.js';
import { type RankPool, type RankTies, ranksBefore } from './rank-pool.js';
import { absentScore, overTemperature } from './softmax-scores.js';

export interface ValidationOptions {
  engine: Engine;
  retriever: Retriever;
  parameters: VariableSet;
  examples: readonly TrainingExample[];
  /** Queries per batch: each is asked among the passages of its batch. */
  batchSize: number;
  /** Hard negatives per query in a batch. */
  negatives: number;
  /** What becomes of a place in a batch for which a query has no negative. */
  missingNegative: BatchOptions['missingNegative'];
  /** What is ranked among, where average rank is DPR's; absent: the passages of the batches. */
  pool?: RankPool | undefined;
  /** Where a passage stands that scores as much as the positive; behind it where absent. */
  ties?: RankTies;
  /** Of the cross entropy; 1 where absent. */
  temperature?: number;
  seed: number;
  maxQueryTokens: number;
  maxPassageTokens: number;
  batchTokens: number;
  /** Called after every batch of texts: what it throws ends an evaluation, which may take minutes. */
  onBatch?: () => void;
}

export class Validation {
  readonly #queries: VectorEncoder;
  readonly #passages: VectorEncoder;
  readonly #programs = new ProgramCache(8);

  constructor(readonly options: ValidationOptions) {
    const { engine, retriever, parameters, batchTokens, maxQueryTokens, maxPassageTokens } = options;
    const weights = parameters.variables;
    const encoder = (side: 'query' | 'passage', maxTokens: number) =>
      new VectorEncoder({ engine, retriever, weights, side, maxTokens, batchTokens });
    this.#queries = encoder('query', maxQueryTokens);
    this.#passages = encoder('passage', maxPassageTokens);
  }

  /**
   * The queries and the passages of their batches.
   * @param draw names the draw of negatives: 'dev' stays the same, an epoch draws anew
   */
  async encode(draw: string | number): Promise<EncodedDev> {
    const { examples, retriever, missingNegative, batchSize, maxPassageTokens, onBatch } = this.options;
    const lists = examples.map((example) => [example.positive, ...this.#drawn(example, draw)]);
    const padding = missingNegative === 'padded' ? paddingOf(lists, batchSize, maxPassageTokens) : [];
    const queries = await this.#queries.encode(
      examples.map(({ query }) => query),
      onBatch,
    );
    const passages = await encodePassages(this.#passages, lists, padding, onBatch);
    const dimensions = retriever.encoder.shape.dimensions;
    return { dimensions, queries: queries.vectors, ...passages };
  }

  /**
   * Passages that DPR ranks positives among: each query's positive, its first hard negatives and its first others. A query
   * that has fewer brings those it has, and a batch's padding is none of them.
   * @param dev what `encode` gave for the same draw
   * @param first the first example that brings its passages, and `end` the one after the last
   */
  async pool(dev: EncodedDev, draw: string | number, first = 0, end = this.options.examples.length) {
    const { hard, other } = this.options.pool ?? { hard: null, other: 0 };
    const lists = this.options.examples
      .slice(first, end)
      .map((example) => [
        example.positive,
        ...(hard === null ? this.#drawn(example, draw) : example.negatives.slice(0, hard)),
        ...(example.others ?? []).slice(0, other),
      ]);
    return { ...dev, ...(await encodePassages(this.#passages, lists, [], this.options.onBatch)) };
  }

  /** Mean rank, from 0, of each query's positive in the pool, as in DPR's validate_average_rank. */
  async rankInPool(dev: EncodedDev, draw: string | number): Promise<number> {
    const { examples, batchSize, pool, ties } = this.options;
    if (pool === undefined && dev.padding === 0) return this.averageRank(dev, 'dpr');
    const own: number[] = [];
    for (let first = 0; first < examples.length; first += batchSize)
      for (const score of await this.#own(dev, first, Math.min(first + batchSize, examples.length)))
        own.push(score);
    let better = 0;
    // A part at a time: 61 passages of each of some thousand queries, with a vector for every token, fit no memory.
    for (let from = 0; from < examples.length; from += partExamples) {
      const part = await this.pool(dev, draw, from, from + partExamples);
      const passages = part.rowStarts.length - 1;
      for (let first = 0; first < examples.length; first += batchSize) {
        const end = Math.min(first + batchSize, examples.length);
        const similarity = await this.similarity(part, first, end, 0, passages);
        for (let q = first; q < end; q++) {
          // Where the positive stands, counted from this part's first passage: in a part before it, or after it, too.
          const positive = part.passageStarts[q - from] ?? (q < from ? -1 : passages);
          const row = similarity.subarray((q - first) * passages, (q - first + 1) * passages);
          better += ranksBefore(row, positive, own[q]!, ties);
        }
      }
    }
    return better / examples.length;
  }

  #drawn(example: TrainingExample, draw: string | number): readonly Int32Array[] {
    return drawNegatives(example, this.options, this.options.seed, draw);
  }

  /** Mean of -log share of the positive among the passages of its batch, in nats. */
  async crossEntropy(dev: EncodedDev): Promise<number> {
    const { examples, batchSize, temperature = 1 } = this.options;
    let sum = 0;
    for (let first = 0; first < examples.length; first += batchSize) {
      const end = Math.min(first + batchSize, examples.length);
      const [from, to] = [dev.passageStarts[first]!, dev.passageStarts[end]!];
      const similarity = await this.similarity(dev, first, end, from, to);
      const positive = new Float32Array((end - first) * (to - from));
      for (let i = first; i < end; i++)
        positive[(i - first) * (to - from) + dev.passageStarts[i]! - from] = 1;
      const shape = [end - first, to - from];
      const program = await this.#programs.get(`entropy ${shape}`, () =>
        this.options.engine.compile(
          ([scores, target]) => [
            crossEntropy(overTemperature(scores as Tensor2D, temperature), target as Tensor2D),
          ],
          [0, 1].map((): ArraySpec => ({ shape, dtype: 'float32' })),
          { name: 'dev cross entropy' },
        ),
      );
      const [mean] = await program.run([similarity, positive]);
      sum += mean![0]! * (end - first);
    }
    return sum / examples.length;
  }

  /**
   * Mean rank, from 0, of each query's positive: `dpr`, among the passages of all batches; `batch`, among those of its
   * own (as in the paper's code).
   */
  async averageRank(dev: EncodedDev, among: 'dpr' | 'batch'): Promise<number> {
    const { examples, batchSize, ties } = this.options;
    let sum = 0;
    for (let first = 0; first < examples.length; first += batchSize) {
      const end = Math.min(first + batchSize, examples.length);
      const [from, to] = [dev.passageStarts[first]!, dev.passageStarts[end]!];
      const own = await this.#own(dev, first, end);
      const ranges = among === 'batch' ? [[from, to] as const] : blocks(dev.rowStarts.length - 1);
      for (const [low, high] of ranges) {
        const similarity = await this.similarity(dev, first, end, low, high);
        for (let i = first; i < end; i++) {
          const row = similarity.subarray((i - first) * (high - low), (i - first + 1) * (high - low));
          sum += ranksBefore(row, dev.passageStarts[i]! - low, own[i - first]!, ties);
        }
      }
    }
    return sum / examples.length;
  }

  /**
   * What each query of a batch scores its own positive. Of the product of the whole batch, as all others are: of another
   * shape it is rounded otherwise, and another query's copy of the passage would count as better.
   */
  async #own(dev: EncodedDev, first: number, end: number): Promise<Float32Array> {
    const { passageStarts } = dev;
    const [from, to] = [passageStarts[first]!, passageStarts[end]!];
    const batch = await this.similarity(dev, first, end, from, to);
    return Float32Array.from(
      { length: end - first },
      (_, i) => batch[i * (to - from) + passageStarts[first + i]! - from]!,
    );
  }

  /** sim(q, d) as search computes it, [queries, passages] of the two ranges. A passage without vectors is `absentScore`. */
  async similarity(dev: EncodedDev, firstQuery: number, endQuery: number, from: number, to: number) {
    const { dimensions } = dev;
    const queries = dev.queries.subarray(firstQuery * dimensions, endQuery * dimensions);
    const [firstRow, endRow] = [dev.rowStarts[from]!, dev.rowStarts[to]!];
    const [q, r] = [endQuery - firstQuery, roundedUp(endRow - firstRow)];
    const rows = new Float32Array(r * dimensions);
    rows.set(dev.rows.subarray(firstRow * dimensions, endRow * dimensions));
    const program: Program = await this.#programs.get(`product ${q}x${r}`, () =>
      this.options.engine.compile(
        ([a, b]) => [tf.matMul(a as Tensor2D, b as Tensor2D, false, true) as unknown as Tensor3D],
        [
          { shape: [q, dimensions], dtype: 'float32' },
          { shape: [r, dimensions], dtype: 'float32' },
        ],
        { name: 'dev similarity' },
      ),
    );
    const [products] = (await program.run([queries, rows])) as [Float32Array];
    const similarity = new Float32Array(q * (to - from)).fill(absentScore);
    for (let i = 0; i < q; i++) {
      for (let p = from; p < to; p++) {
        const at = i * (to - from) + p - from;
        for (let row = dev.rowStarts[p]!; row < dev.rowStarts[p + 1]!; row++) {
          similarity[at] = Math.max(similarity[at]!, products[i * r + row - firstRow]!);
        }
      }
    }
    return similarity;
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#queries.dispose(), this.#passages.dispose(), this.#programs.dispose()]);
  }
}

/** Examples whose passages of the pool are in memory at once. */
const partExamples = 32;

/** Rows are padded to few different counts: passages may have any number of them, and each count costs a compilation. */
const roundedUp = (rows: number): number => (rows <= 16 ? rows : 256 * Math.ceil(rows / 256));

/** Ranges that cover 0 to count. */
function blocks(count: number): (readonly [number, number])[] {
  const size = 4096;
  return Array.from(
    { length: Math.ceil(count / size) },
    (_, i) => [i * size, Math.min((i + 1) * size, count)] as const,
  );
}
