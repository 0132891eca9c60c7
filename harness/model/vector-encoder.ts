/** Turns many texts into vectors: sorted by length, padded little, a few fixed shapes, no dropout. */
import type { PassageVectors, Tensor, Tensor2D } from '../contracts.js';
import { refuseBeyondMemory } from '../program/memory.js';
import type { ArraySpec, Engine, NumericArray, Variable } from '../tensor/engine.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import * as tf from '../tensor/operations.js';
import { assertPrecision } from '../tensor/precision.js';
import { ProgramCache } from '../tensor/program-cache.js';
import { bucketOf, padTexts, padZeros } from '../text/padding.js';
import type { Encoder, EncoderInput, Parameter } from './encoder.js';

export interface EncodedTexts {
  /** Rows of D numbers, text by text. */
  vectors: Float32Array;
  /** Rows of each text. */
  counts: Int32Array;
}

/** What turns token ids into the vectors that are searched; a pure function of its weights. */
export interface VectorModel {
  readonly parameters: readonly Pick<Parameter, 'shape' | 'overflowsHalf'>[];
  /** D of what comes out. */
  readonly dimensions: number;
  readonly paddingId: number;
  readonly encoder: Pick<Encoder, 'parameters'>;
  /** M as the index keeps it, or 'varies'. */
  readonly indexedVectors: number | 'varies';
  /** Whether it is told the segment of each token, `EncoderInput.types`; false where absent. */
  readonly takesTypes?: boolean;
  /** Numbers of a token between two layers, where that is not `dimensions`. */
  readonly width?: number;
  /** @param weights one tensor per parameter @returns [B, D] */
  queries(weights: readonly Tensor[], input: EncoderInput): Tensor2D;
  searched(weights: readonly Tensor[], input: EncoderInput): PassageVectors;
}

export interface VectorEncoderOptions {
  engine: Engine;
  retriever: VectorModel;
  /** One per parameter. Arrays never change: they are baked in or resident. Variables are read at every batch. */
  weights: readonly Float32Array[] | readonly Variable[];
  /** Of a pair, a query and a passage together, as of a query. */
  side: 'query' | 'passage' | 'pair';
  /** Longest text, in tokens. */
  maxTokens: number;
  /** Tokens per batch, padding included. */
  batchTokens: number;
  /** Of products with weights, which are arrays then. float32 where absent. */
  precision?: string;
}

/** Baking weights in makes a copy of them for each shape: worth it up to this much memory, in bytes. */
const bakedBytes = 1 << 30;
const shapesExpected = 16;

export class VectorEncoder {
  readonly #programs = new ProgramCache(32);
  readonly #fixed: ReadonlyMap<number, NumericArray>;
  readonly #fed: readonly Variable[];
  /** Asked for once, not for every query. */
  #rounding: ReturnType<typeof assertPrecision> | undefined;

  constructor(readonly options: VectorEncoderOptions) {
    const { weights, engine, precision = usualPrecision } = options;
    const isArrays = weights.every((weight) => weight instanceof Float32Array);
    if (precision !== usualPrecision && !isArrays)
      throw new TypeError(`weights that change cannot be encoded with in ${precision}`);
    const bytes = options.retriever.parameters.reduce((sum, _, i) => sum + sizeInBytes(weights[i]!), 0);
    // In fewer bits than 32 it is for the engine to say what of them becomes part of a program.
    const bake = isArrays && (precision !== usualPrecision || bytes * shapesExpected <= bakedBytes);
    this.#fixed = bake ? new Map(weights.map((weight, i) => [i, weight as Float32Array])) : new Map();
    this.#fed = bake
      ? []
      : weights.map((weight) => (weight instanceof Float32Array ? engine.resident(weight) : weight));
  }

  /**
   * @param texts token ids, none longer than maxTokens
   * @param onBatch called with the number of texts that have been encoded; what it throws ends the encoding
   * @param shortest texts of fewer tokens are padded to so many
   * @param types of each text the segments of its tokens; asked for where the model takes them
   */
  async encode(
    texts: readonly Int32Array[],
    onBatch?: (done: number) => void,
    shortest = 1,
    types: readonly Int32Array[] = [],
  ): Promise<EncodedTexts> {
    const { engine, maxTokens, batchTokens, retriever, side, precision = usualPrecision } = this.options;
    this.#rounding ??= assertPrecision(engine, precision);
    const rounding = await this.#rounding;
    // Longest first: each batch takes the length of its longest text, and only the last one is not full.
    const order = texts.map((_, i) => i).sort((a, b) => texts[b]!.length - texts[a]!.length || a - b);
    const rows: Float32Array[] = new Array(texts.length);
    for (let at = 0; at < order.length; ) {
      const tokens = bucketOf(Math.max(shortest, texts[order[at]!]!.length), maxTokens);
      const full = 2 ** Math.floor(Math.log2(Math.max(1, batchTokens / tokens)));
      const members = order.slice(at, at + full);
      const batch = members.length === full ? full : 2 ** Math.ceil(Math.log2(members.length));
      const padded = padTexts(
        members.map((i) => texts[i]!),
        tokens,
        retriever.paddingId,
        batch,
      );
      const program = await this.#program(batch, tokens);
      const segments = retriever.takesTypes
        ? [
            padZeros(
              members.map((i) => types[i]!),
              tokens,
              batch,
            ),
          ]
        : [];
      const feeds = [...this.#fed, padded.ids, padded.mask, ...segments];
      const [vectors, present] = (await program.run(feeds)) as [Float32Array, Float32Array?];
      collectRows(rows, members, batch, vectors, present, retriever.dimensions);
      rounding?.assertVectors?.(
        members.map((text) => rows[text]!),
        side,
      );
      at += members.length;
      onBatch?.(at);
    }
    return joinRows(rows, retriever.dimensions);
  }

  #program(batch: number, tokens: number) {
    const { engine, retriever, side, precision = usualPrecision } = this.options;
    // What one layer takes and gives is the least that a batch needs.
    refuseBeyondMemory(
      8 * batch * tokens * (retriever.width ?? retriever.dimensions),
      `Encoding ${batch} texts of ${tokens} tokens at once`,
      'Make encode.batchTokens smaller.',
    );
    return this.#programs.get(`${batch}x${tokens}`, () => {
      const overflowing = new Set(
        retriever.parameters.flatMap(({ overflowsHalf }, i) => (overflowsHalf === true ? [i] : [])),
      );
      const inputs: ArraySpec[] = [
        ...retriever.parameters.map(({ shape }): ArraySpec => ({ shape, dtype: 'float32' })),
        { shape: [batch, tokens], dtype: 'int32' },
        { shape: [batch, tokens], dtype: 'float32' },
        ...(retriever.takesTypes ? [{ shape: [batch, tokens], dtype: 'int32' } as const] : []),
      ];
      return engine.compile(
        (tensors) => {
          const weights = tensors.slice(0, retriever.parameters.length);
          const [ids, mask, types] = tensors.slice(retriever.parameters.length) as [
            ...[Tensor2D, Tensor2D],
            Tensor2D?,
          ];
          const input = { ids, mask, ...(types !== undefined && { types }) };
          if (side !== 'passage') return [retriever.queries(weights, input)];
          const { vectors, present } = retriever.searched(weights, input);
          return present === undefined ? [vectors] : [vectors, tf.cast(present, 'float32')];
        },
        inputs,
        { fixed: this.#fixed, precision, overflowing, name: `${side} encoder` },
      );
    });
  }

  dispose(): Promise<void> {
    return this.#programs.dispose();
  }
}

const sizeInBytes = (weight: Float32Array | Variable): number =>
  4 * (weight instanceof Float32Array ? weight.length : weight.size);

/** Puts the rows that exist of each member of a batch into its text's place. */
function collectRows(
  rows: Float32Array[],
  members: readonly number[],
  batch: number,
  vectors: Float32Array,
  present: Float32Array | undefined,
  dimensions: number,
): void {
  const perText = vectors.length / batch;
  const m = perText / dimensions;
  for (const [place, text] of members.entries()) {
    const all = vectors.subarray(place * perText, (place + 1) * perText);
    if (present === undefined) {
      rows[text] = all;
      continue;
    }
    const kept = new Float32Array(perText);
    let count = 0;
    for (let j = 0; j < m; j++) {
      if (present[place * m + j] === 0) continue;
      kept.set(all.subarray(j * dimensions, (j + 1) * dimensions), count * dimensions);
      count++;
    }
    rows[text] = kept.subarray(0, count * dimensions);
  }
}

function joinRows(rows: readonly Float32Array[], dimensions: number): EncodedTexts {
  const vectors = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  const counts = new Int32Array(rows.length);
  let at = 0;
  for (const [i, row] of rows.entries()) {
    vectors.set(row, at);
    at += row.length;
    counts[i] = row.length / dimensions;
  }
  return { vectors, counts };
}
