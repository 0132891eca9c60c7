/**
 * SPLADE (Formal et al. 2021): a masked language model says of each token of a text how much of every word of the vocabulary is
 * in it; the weight of a word is log(1 + relu(logit)), the largest over the tokens or their sum. As sentence-transformers' (6)
 * `SparseEncoder` computes it, special tokens included. A pure function of its weights.
 */
import type { PassageVectors, Tensor, Tensor2D, Tensor3D } from '../contracts.js';
import { BenchError } from '../errors.js';
import * as tf from '../tensor/operations.js';
import type { Encoder, EncoderInput, MaskedHead } from './encoder.js';
import { headLogits, headOf, headParameters, headStates } from './masked-head.js';
import type { EncodedTexts, VectorModel } from './vector-encoder.js';

export interface SpladePooling {
  over: 'max' | 'sum';
  /** How often log(1 + x) is taken: twice in `log1p_relu`. */
  logs: 1 | 2;
}

/** Logits that a program holds at once: 64 MiB. What is pooled over all tokens of a batch would take gigabytes. */
const heldLogits = 2 ** 24;

export class SpladeModel implements VectorModel {
  /** Of the encoder, then of the head. */
  readonly parameters: Encoder['parameters'];
  /** V */
  readonly dimensions: number;
  readonly tokenNumbers: number;
  readonly paddingId: number;
  readonly indexedVectors = 1;
  readonly #head: MaskedHead;

  constructor(
    readonly encoder: Encoder,
    readonly pooling: SpladePooling,
  ) {
    this.#head = headOf(encoder);
    this.paddingId = encoder.paddingId;
    this.dimensions = encoder.vocabularySize;
    this.tokenNumbers = encoder.shape.dimensions;
    this.parameters = [...encoder.parameters, ...headParameters(this.#head, encoder)];
  }

  queries(weights: readonly Tensor[], input: EncoderInput): Tensor2D {
    return this.#pooled(weights, input);
  }

  searched(weights: readonly Tensor[], input: EncoderInput): PassageVectors {
    return { vectors: tf.expandDims(this.#pooled(weights, input), 1) as Tensor3D };
  }

  /**
   * What comes out of a program as weights of tokens: those above 0, in the order of their ids.
   * @param pooled rows of V numbers @returns rows of two numbers, a token and its weight, and how many each text has
   * @throws BenchError CHECKPOINT_INVALID where a number is none
   */
  weightsOf(pooled: Float32Array): EncodedTexts {
    const { dimensions: words, pooling } = this;
    const counts = new Int32Array(pooled.length / words);
    const vectors = new Float32Array(2 * pooled.reduce((sum, value) => sum + Number(!(value <= 0)), 0));
    let filled = 0;
    for (let text = 0, i = 0; text < counts.length; text++) {
      const before = filled;
      for (let token = 0; token < words; token++, i++) {
        const value = pooled[i]!;
        if (value <= 0) continue;
        const weight = pooling.over === 'max' ? logarithm(value, pooling.logs) : value;
        if (!Number.isFinite(weight)) throw notFinite(weight, token);
        vectors[filled++] = token;
        vectors[filled++] = weight;
      }
      counts[text] = (filled - before) / 2;
    }
    return { vectors, counts };
  }

  /** @returns [B, V]: sums of weights, or the largest logits, whose logarithms `weightsOf` takes */
  #pooled(weights: readonly Tensor[], { ids, mask, plan }: EncoderInput): Tensor2D {
    const { encoder, dimensions: words, pooling } = this;
    const head = this.#head;
    const placeOf = new Map(this.parameters.map(({ name }, i) => [name, i]));
    const weightOf = (name: string) => {
      const at = placeOf.get(name);
      return at === undefined ? undefined : weights[at];
    };
    const input = { ids, mask, ...(plan && { plan }) };
    const { hidden } = encoder.states(weights.slice(0, encoder.parameters.length), input);
    const last = hidden[encoder.shape.layers]!; // [B, T, D]
    const [batch, tokens, size] = last.shape;
    const states = tf.reshape(
      headStates(head, tf.reshape(last, [batch * tokens, size]), weightOf),
      last.shape,
    );
    const present = tf.expandDims(mask, 2); // [B, T, 1]
    // The largest over a text is the same where its first token stands in the place of padding.
    const first = tf.slice(states, [0, 0, 0], [batch, 1, size]);
    const kept =
      pooling.over === 'sum'
        ? states
        : tf.add(tf.mul(states, present), tf.mul(first, tf.sub(tf.scalar(1), present)));
    // Token by token, so that what is reduced is the first axis.
    const byToken = tf.transpose(kept, [1, 0, 2]); // [T, B, D]
    const shares = tf.transpose(present, [1, 0, 2]); // [T, B, 1]
    const step = Math.max(1, Math.floor(heldLogits / (batch * words)));
    let pooled: Tensor2D | undefined;
    for (let t = 0; t < tokens; t += step) {
      const count = Math.min(step, tokens - t);
      const rows = tf.reshape(tf.slice(byToken, [t, 0, 0], [count, batch, size]), [count * batch, size]);
      const logits = tf.reshape(headLogits(head, rows, weightOf), [count, batch, words]);
      const part =
        pooling.over === 'max'
          ? tf.max(logits, 0)
          : tf.sum(
              tf.mul(logarithms(logits, pooling.logs), tf.slice(shares, [t, 0, 0], [count, batch, 1])),
              0,
            );
      const join = pooling.over === 'max' ? tf.maximum : tf.add;
      pooled = (pooled === undefined ? part : join(pooled, part)) as Tensor2D;
    }
    return pooled!;
  }
}

/** Of numbers above 0, rounded after each as float32 has them. */
function logarithm(value: number, logs: 1 | 2): number {
  const once = Math.fround(Math.log1p(value));
  return logs === 1 ? once : Math.fround(Math.log1p(once));
}

function logarithms(logits: Tensor, logs: 1 | 2): Tensor {
  const once = tf.log(tf.add(tf.relu(logits), tf.scalar(1)));
  return logs === 1 ? once : tf.log(tf.add(once, tf.scalar(1)));
}

const notFinite = (weight: number, token: number): BenchError =>
  new BenchError('CHECKPOINT_INVALID', `The encoder gave token ${token} the weight ${weight}.`, {
    hint: 'Its weights are of no use for search: fetch or train it again.',
  });
