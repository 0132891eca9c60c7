/**
 * A published sentence encoder as sentence-transformers (5) computes it: an encoder, then poolings, dense layers and
 * normalization, one after another. A pure function of its weights.
 */
import type { PassageVectors, Tensor, Tensor2D, Tensor3D } from '../contracts.js';
import { linear, unitLength } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';
import { type DenseActivation, denseActivations } from './activations.js';
import type { Encoder, EncoderInput, Parameter } from './encoder.js';
import type { VectorModel } from './vector-encoder.js';

/** In the order in which several are laid side by side. */
export const poolingModes = ['cls', 'max', 'mean', 'mean-sqrt', 'weighted-mean', 'last'] as const;
export type PoolingMode = (typeof poolingModes)[number];

/** What follows the encoder. */
export type SentenceModule =
  | {
      kind: 'pooling';
      modes: readonly PoolingMode[];
      /** Whether the tokens of the prompt take part. */
      includesPrompt: boolean;
      /** D of the encoder that it was made for; absent where it does not say. */
      width?: number;
    }
  | {
      kind: 'dense';
      inputs: number;
      outputs: number;
      hasBias: boolean;
      activation: DenseActivation;
    }
  | { kind: 'normalize' };

/** Tokens at the beginning of a text that belong to its prompt, special ones before it included. */
export interface PromptTokens {
  query: number;
  passage: number;
}

type SentenceParameter = Pick<Parameter, 'name' | 'shape' | 'overflowsHalf'>;

export class SentenceModel implements VectorModel {
  /** Of the encoder, then of each dense layer: weight and bias. */
  readonly parameters: readonly SentenceParameter[];
  readonly dimensions: number;
  readonly paddingId: number;
  readonly indexedVectors = 1;

  /** @param modules the first is a pooling, each takes as many numbers as the one before gives */
  constructor(
    readonly encoder: Encoder,
    readonly modules: readonly SentenceModule[],
    readonly promptTokens: PromptTokens,
  ) {
    this.paddingId = encoder.paddingId;
    const parameters: SentenceParameter[] = [...encoder.parameters];
    let width = encoder.shape.dimensions;
    for (const [i, module] of modules.entries()) {
      if (module.kind === 'pooling') width *= module.modes.length;
      if (module.kind !== 'dense') continue;
      parameters.push({ name: `${i}.weight`, shape: [module.outputs, module.inputs] });
      if (module.hasBias) parameters.push({ name: `${i}.bias`, shape: [module.outputs] });
      width = module.outputs;
    }
    this.parameters = parameters;
    this.dimensions = width;
  }

  queries(weights: readonly Tensor[], input: EncoderInput): Tensor2D {
    return this.#embed(weights, input, this.promptTokens.query);
  }

  searched(weights: readonly Tensor[], input: EncoderInput): PassageVectors {
    return { vectors: tf.expandDims(this.#embed(weights, input, this.promptTokens.passage), 1) as Tensor3D };
  }

  /** @returns [B, D] */
  #embed(weights: readonly Tensor[], input: EncoderInput, promptTokens: number): Tensor2D {
    const own = weights.slice(this.encoder.parameters.length);
    const { hidden } = this.encoder.states(weights.slice(0, this.encoder.parameters.length), input);
    const tokens = hidden[this.encoder.shape.layers]!; // [B, T, D]
    let vectors: Tensor2D | undefined;
    for (const module of this.modules) {
      if (module.kind === 'pooling') {
        const mask = module.includesPrompt ? input.mask : withoutPrompt(input.mask, promptTokens);
        vectors = tf.concat(
          module.modes.map((mode) => pool[mode](tokens, mask)),
          1,
        );
      } else if (module.kind === 'dense') {
        const [weight, bias] = own.splice(0, module.hasBias ? 2 : 1);
        const product = linear(vectors!, weight as Tensor2D, bias as tf.Tensor1D | undefined);
        vectors = denseActivations[module.activation](product) as Tensor2D;
      } else vectors = unitLength(vectors!);
    }
    return vectors!;
  }
}

/** @param mask [B, T] @returns the same, 0 at the first tokens */
function withoutPrompt(mask: Tensor2D, tokens: number): Tensor2D {
  const length = mask.shape[1];
  const kept = Float32Array.from({ length }, (_, t) => (t < tokens ? 0 : 1));
  return tf.mul(mask, tf.tensor(kept, [1, length]));
}

const smallest = 1e-9;

/** Sums of the tokens' vectors. @param shares [B, T] @returns [B, D] */
function weighted(tokens: Tensor3D, shares: Tensor2D): Tensor2D {
  const [batch, , dimensions] = tokens.shape;
  return tf.reshape(tf.matMul(tf.expandDims(shares, 1) as Tensor3D, tokens), [batch, dimensions]);
}

/** @param shares [B, T] @returns [B, 1] */
const total = (shares: Tensor2D) => tf.maximum(tf.sum(shares, 1, true), tf.scalar(smallest));

/** From the vectors of tokens [B, T, D] and their mask [B, T] to one a text, [B, D]. */
const pool: Readonly<Record<PoolingMode, (tokens: Tensor3D, mask: Tensor2D) => Tensor2D>> = {
  cls(tokens) {
    const [batch, , dimensions] = tokens.shape;
    return tf.reshape(tf.slice(tokens, [0, 0, 0], [batch, 1, dimensions]), [batch, dimensions]);
  },
  max(tokens, mask) {
    const present = tf.expandDims(mask, 2);
    const absent = tf.mul(tf.sub(present, tf.scalar(1)), tf.scalar(1e9));
    return tf.max(tf.add(tf.mul(tokens, present), absent), 1) as Tensor2D;
  },
  mean: (tokens, mask) => tf.div(weighted(tokens, mask), total(mask)),
  'mean-sqrt': (tokens, mask) => tf.div(weighted(tokens, mask), tf.sqrt(total(mask))),
  'weighted-mean'(tokens, mask) {
    const length = mask.shape[1];
    const places = tf.tensor(
      Float32Array.from({ length }, (_, t) => t + 1),
      [1, length],
    );
    const shares = tf.mul(mask, places) as Tensor2D;
    return tf.div(weighted(tokens, shares), total(shares));
  },
  last(tokens, mask) {
    const [batch, length] = mask.shape;
    const next = tf.concat([tf.slice(mask, [0, 1], [batch, length - 1]), tf.zeros([batch, 1])], 1);
    // 1 where a token is the last of its text.
    return weighted(tokens, tf.mul(mask, tf.sub(tf.scalar(1), next)) as Tensor2D);
  },
};
