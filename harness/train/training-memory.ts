/** What a training takes of memory, a device's or the machine's, before anything is made, and the chunk of the gradient cache that fits a device. */

import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import type { Encoder } from '../model/encoder.js';
import type { Engine } from '../tensor/engine.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import { shorterLengths } from '../text/padding.js';

/** What a token takes depends on it. */
export interface ShapeOfTexts {
  layers: number;
  dimensions: number;
  heads: number;
  /** F, of the feed-forward. */
  intermediate: number;
}

export const shapeOfTexts = ({
  heads,
  intermediate,
  shape: { layers, dimensions },
}: Pick<Encoder, 'heads' | 'intermediate' | 'shape'>): ShapeOfTexts => ({
  ...{ layers, dimensions, heads, intermediate },
});

/** What decides it. */
export interface TrainingSize {
  /** Elements of all that is trained. */
  weights: number;
  shape: ShapeOfTexts;
  queries: number;
  queryTokens: number;
  /** Of a batch. */
  passages: number;
  passageTokens: number;
  /** float32 where absent. */
  precision?: string;
}

/** A batch as large as a training has one: each query comes with a positive and its negatives. */
export function largestBatch(
  { batchSize, negatives, precision }: { batchSize: number; negatives: number; precision?: string },
  { queryTokens, passageTokens }: Pick<TrainingSize, 'queryTokens' | 'passageTokens'>,
): Omit<TrainingSize, 'weights' | 'shape'> {
  const passages = batchSize * (1 + negatives);
  return { queries: batchSize, passages, queryTokens, passageTokens, ...(precision && { precision }) };
}

/** A share of the device's memory that is left to others, and to buffers that are made larger than what they hold. */
const spared = 1 / 4;
/** Texts per chunk where there is no device to fit it to. */
const usualChunk = 32;

/** Weights, gradients, both moments, and gradients on their way into the place of the last ones. */
export const stateBytes = ({ weights }: Pick<TrainingSize, 'weights'>): number => 5 * 4 * weights;

const isRounded = (precision = usualPrecision): boolean => precision !== usualPrecision;
/** Weights as float16 numbers, from forward to backward. */
const roundedBytes = ({ weights, precision }: Pick<TrainingSize, 'weights' | 'precision'>): number =>
  isRounded(precision) ? 2 * weights : 0;

/**
 * What forward and backward of texts hold at once: for each layer 9 numbers for each of a token's D, 2 for each of its F, and 4.5
 * for each pair of tokens in a head. Counted of BERT's recorded programs, of 12 layers with T = 256 31 where this says 35; an architecture
 * that reads no more than a first token needs less of its last layer. In float16 what products with weights take is there once
 * more, in half the bytes.
 */
export function activationBytes(
  { layers, dimensions, heads, intermediate }: ShapeOfTexts,
  texts: number,
  tokens: number,
  precision?: string,
): number {
  const whole = 9 * dimensions + 2 * intermediate + 4.5 * heads * tokens;
  const halves = isRounded(precision) ? 4 * dimensions + intermediate : 0;
  return 4 * texts * tokens * layers * (whole + halves / 2);
}

/** Whose memory programs take: each keeps its own, as on the processor, or all take from one pool, as on a device. */
export type ProgramMemory = 'own' | 'pool';

export const programMemory = ({ device }: Pick<Engine, 'device'>): ProgramMemory =>
  device === 'cpu' ? 'own' : 'pool';

/**
 * The most texts of a chunk of a length. Each length has programs of its own; where these keep what they took, a chunk of less than the
 * longest texts, and more than a quarter of that, has half as many: all lengths together then hold up to three quarters more than the longest, where
 * they would hold more than twice as much. Smaller ones would take longer, as each chunk goes once through all weights and their gradients.
 * @param longest tokens of the longest texts of a batch
 */
export const textsOfChunk = (
  chunkSize: number,
  tokens: number,
  longest: number,
  memory: ProgramMemory,
): number =>
  memory === 'own' && tokens < longest && 4 * tokens > longest ? Math.ceil(chunkSize / 2) : chunkSize;

/** @param chunkSize texts of a chunk; null where the whole batch goes through at once */
export function trainingBytes(
  size: TrainingSize,
  chunkSize: number | null,
  memory: ProgramMemory = 'pool',
): number {
  const { shape, queries, queryTokens, passages, passageTokens, precision } = size;
  const bytes = (texts: number, tokens: number) => activationBytes(shape, texts, tokens, precision);
  const longest = Math.max(passageTokens, queryTokens);
  const lengths = memory === 'own' ? [longest, ...shorterLengths(longest)] : [longest];
  const ofChunks = (texts: number) =>
    lengths.reduce((sum, tokens) => sum + bytes(textsOfChunk(texts, tokens, longest, memory), tokens), 0);
  const activations =
    chunkSize === null ? bytes(passages, passageTokens) + bytes(queries, queryTokens) : ofChunks(chunkSize);
  return stateBytes(size) + roundedBytes(size) + activations;
}

/**
 * The chunk to train with: what was asked for, or of `fitting` the largest that fits.
 * @param deviceMemoryMiB of the device; null where it is not known, or there is none
 * @throws BenchError OUT_OF_MEMORY where the device has not what this takes
 */
export function chunkFor(
  chunkSize: number | 'fitting' | null,
  deviceMemoryMiB: number | null,
  size: TrainingSize,
): number | null {
  const { passages } = size;
  if (deviceMemoryMiB === null) {
    if (chunkSize !== 'fitting') return chunkSize;
    return passages > usualChunk ? usualChunk : null;
  }
  const usable = usableBytes(deviceMemoryMiB);
  if (chunkSize !== 'fitting') {
    const needed = trainingBytes(size, chunkSize);
    if (needed > usable) throw tooSmall(needed, usable, deviceMemoryMiB, chunkSize);
    return chunkSize;
  }
  const fitting = fittingChunk(deviceMemoryMiB, size);
  if (fitting === 0) throw tooSmall(trainingBytes(size, 1), usable, deviceMemoryMiB, 1);
  return fitting;
}

const usableBytes = (deviceMemoryMiB: number): number => deviceMemoryMiB * 2 ** 20 * (1 - spared);

/** Texts of the largest chunk that fits: null for a whole batch, 0 where not even one text does. */
export function fittingChunk(deviceMemoryMiB: number, size: TrainingSize): number | null {
  const usable = usableBytes(deviceMemoryMiB);
  if (trainingBytes(size, null) <= usable) return null;
  const one = trainingBytes(size, 1);
  const perText = trainingBytes(size, 2) - one;
  const fitting = Math.floor((usable - one) / perText) + 1;
  return Math.max(0, Math.min(fitting, size.passages));
}

const mebibytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en-US')} MiB`;

function tooSmall(needed: number, usable: number, there: number, chunkSize: number | null): BenchError {
  const by = chunkSize === null ? 'a whole batch at once' : `chunks of ${counted(chunkSize, 'texts')}`;
  const shorter = 'Choose a smaller model, one encoder for both sides (model.tied=true) or shorter texts';
  return new BenchError(
    'OUT_OF_MEMORY',
    `Training by ${by} would take about ${mebibytes(needed)} of the device's memory, and of the ${there.toLocaleString('en-US')} MiB that deviceMemoryMiB gives it ${mebibytes(usable)} can be used.`,
    {
      hint:
        chunkSize === 1
          ? `${shorter} (text.passageTokens); or raise deviceMemoryMiB, where the device has more.`
          : `Make train.chunkSize smaller, or leave it out, and what fits is chosen; or raise deviceMemoryMiB, where the device has more.`,
    },
  );
}
