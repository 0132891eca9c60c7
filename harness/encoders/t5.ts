/** The encoder half of T5 (Raffel et al. 2020), v1.0 and v1.1, as transformers' T5EncoderModel computes it. */
import type { EncoderStates } from '../contracts.js';
import { activationNames, activations } from '../model/activations.js';
import { activeSites, Dropouts, joinHeads, paddingBias, splitHeads } from '../model/attention.js';
import type {
  DropoutSite,
  Encoder,
  EncoderInput,
  EncoderOptions,
  EncoderPlugin,
  Parameter,
} from '../model/encoder.js';
import { ConfigFields, type ModelConfig } from '../model/fields.js';
import { relativeBuckets } from '../model/relative-position.js';
import { linear, rmsNorm } from '../tensor/layers.js';
import { lookUp, lookUpFew } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';

type Tensor = tf.Tensor;

interface T5Sizes {
  layers: number;
  dimensions: number;
  heads: number;
  /** K, dimensions of one head; H * K need not be D. */
  headSize: number;
  intermediate: number;
  vocabularySize: number;
  buckets: number;
  gated: boolean;
}

/** A T5 config's `feed_forward_proj` -> whether it is gated, and its activation. */
const feedForwards = {
  relu: { gated: false, activation: 'relu' },
  gelu: { gated: false, activation: 'gelu' },
  'gated-relu': { gated: true, activation: 'relu' },
  // transformers reads v1.1's 'gated-gelu' as the hyperbolic tangent form.
  'gated-gelu': { gated: true, activation: 'gelu_new' },
  gelu_new: { gated: false, activation: 'gelu_new' },
  'gated-gelu_new': { gated: true, activation: 'gelu_new' },
  gelu_pytorch_tanh: { gated: false, activation: 'gelu_pytorch_tanh' },
  'gated-gelu_pytorch_tanh': { gated: true, activation: 'gelu_pytorch_tanh' },
} as const satisfies Record<string, { gated: boolean; activation: (typeof activationNames)[number] }>;
const feedForwardNames = Object.keys(feedForwards) as (keyof typeof feedForwards)[];

/**
 * @param config a T5 config.json
 * @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used
 */
export function t5Encoder(config: ModelConfig, { t5LayerNorm = 'last' }: EncoderOptions = {}): Encoder {
  const fields = new ConfigFields(config);
  fields.refuseDecoder();
  const feedForward = feedForwards[fields.word('feed_forward_proj', feedForwardNames, 'relu')];
  // transformers writes what follows from feed_forward_proj beside it, and goes by that where it says something else.
  fields.same('is_gated_act', feedForward.gated);
  const activation = fields.word('dense_act_fn', activationNames, feedForward.activation);
  if (activations[activation] !== activations[feedForward.activation])
    fields.problem(
      `dense_act_fn is "${activation}", and feed_forward_proj asks for ${feedForward.activation}`,
    );
  const sizes: T5Sizes = {
    layers: fields.layers('num_layers'),
    dimensions: fields.count('d_model'),
    heads: fields.count('num_heads'),
    headSize: fields.count('d_kv'),
    intermediate: fields.count('d_ff'),
    vocabularySize: fields.count('vocab_size'),
    buckets: fields.count('relative_attention_num_buckets', 32, 4),
    gated: feedForward.gated,
  };
  const maxDistance = fields.count('relative_attention_max_distance', 128);
  const paddingId = fields.count('pad_token_id', 0, 0);
  const epsilon = fields.epsilon('layer_norm_epsilon', 1e-6);
  const rate = fields.rate('dropout_rate', 0.1);
  if (maxDistance <= Math.floor(sizes.buckets / 4)) {
    fields.problem(
      `relative_attention_max_distance ${maxDistance} must be above a quarter of the ${sizes.buckets} buckets`,
    );
  }
  fields.isToken('pad_token_id', paddingId, sizes.vocabularySize);
  fields.check('T5');

  const activate = activations[feedForward.activation];
  const parameters = t5Parameters(sizes);
  const positionOf = new Map(parameters.map((parameter, i) => [parameter.name, i]));
  const { layers, dimensions, heads, intermediate, buckets } = sizes;

  function states(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): EncoderStates {
    const [batch, tokens] = input.ids.shape;
    const weight = <T extends Tensor>(name: string) => weights[positionOf.get(name)!] as T;
    const dropouts = new Dropouts(keep);
    const drop = (x: Tensor) => dropouts.apply(x, rate);
    const normalize = (x: Tensor, name: string) => rmsNorm(x, weight(`${name}.weight`), epsilon);
    const project = (x: Tensor, name: string) => linear(x, weight(`${name}.weight`));

    const pairs = relativeBuckets(tokens, buckets, maxDistance); // [T, T]
    const table = weight('encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight'); // [buckets, H]
    const distance = tf.expandDims(tf.transpose(lookUpFew(table, pairs), [2, 0, 1]), 0); // [1, H, T, T]
    const bias = tf.add(distance, paddingBias(input.mask)); // [B, H, T, T]

    const cube = (rows: Tensor) => tf.reshape(rows, [batch, tokens, dimensions]) as tf.Tensor3D; // [B, T, D]
    const ids = tf.reshape(input.ids, [-1]) as tf.Tensor1D;
    let rows = drop(lookUp(weight('shared.weight'), ids, input.plan)); // [B * T, D]
    const stream = [rows];
    for (let l = 0; l < layers; l++) {
      const block = `encoder.block.${l}`;
      const calm = normalize(rows, `${block}.layer.0.layer_norm`);
      const part = (name: string) =>
        splitHeads(project(calm, `${block}.layer.0.SelfAttention.${name}`), batch, tokens, heads); // [B, H, T, K]
      const scores = tf.add(tf.matMul(part('q'), part('k'), false, true), bias); // [B, H, T, T]
      const attention = drop(tf.softmax(scores));
      const mixed = joinHeads(tf.matMul(attention, part('v'))); // [B * T, H * K]
      rows = tf.add(rows, drop(project(mixed, `${block}.layer.0.SelfAttention.o`))); // [B * T, D]

      const dense = `${block}.layer.1.DenseReluDense`;
      const inner = normalize(rows, `${block}.layer.1.layer_norm`);
      const wide = sizes.gated
        ? tf.mul(activate(project(inner, `${dense}.wi_0`)), project(inner, `${dense}.wi_1`))
        : activate(project(inner, `${dense}.wi`)); // [B * T, F]
      rows = tf.add(rows, drop(project(drop(wide), `${dense}.wo`))); // [B * T, D]
      stream.push(rows);
    }
    const last = drop(normalize(stream.pop()!, 'encoder.final_layer_norm'));
    dropouts.finish();
    const lower =
      t5LayerNorm === 'last' ? stream : stream.map((x) => normalize(x, 'encoder.final_layer_norm'));
    const hidden = [...lower, last].map(cube);
    return { hidden, mask: input.mask, summary: (layer) => maskedMean(hidden[layer]!, input.mask) };
  }

  return {
    shape: { kind: 't5', layers, dimensions, maxTokens: Number.POSITIVE_INFINITY, summary: 'mean' },
    heads,
    intermediate,
    vocabularySize: sizes.vocabularySize,
    paddingId,
    trainsPadding: true,
    parameters,
    config,
    dropoutSites(batch, tokens) {
      const vectors: DropoutSite = { shape: [batch, tokens, dimensions], rate };
      const attention: DropoutSite = { shape: [batch, heads, tokens, tokens], rate };
      const wide: DropoutSite = { shape: [batch, tokens, intermediate], rate };
      const block = [attention, vectors, wide, vectors];
      return activeSites([vectors, ...Array.from({ length: layers }, () => block).flat(), vectors]);
    },
    states,
  };
}

function t5Parameters(of: T5Sizes): Parameter[] {
  const inner = of.heads * of.headSize;
  const list: Parameter[] = [
    { name: 'shared.weight', shape: [of.vocabularySize, of.dimensions], decay: true },
  ];
  const matrix = (name: string, outputs: number, inputs: number) =>
    list.push({ name: `${name}.weight`, shape: [outputs, inputs], decay: true });
  const norm = (name: string) => list.push({ name: `${name}.weight`, shape: [of.dimensions], decay: false });
  for (let l = 0; l < of.layers; l++) {
    const attention = `encoder.block.${l}.layer.0.SelfAttention`;
    for (const part of ['q', 'k', 'v']) matrix(`${attention}.${part}`, inner, of.dimensions);
    matrix(`${attention}.o`, of.dimensions, inner);
    if (l === 0) {
      list.push({
        name: `${attention}.relative_attention_bias.weight`,
        shape: [of.buckets, of.heads],
        decay: false,
      });
    }
    norm(`encoder.block.${l}.layer.0.layer_norm`);
    const dense = `encoder.block.${l}.layer.1.DenseReluDense`;
    for (const part of of.gated ? ['wi_0', 'wi_1'] : ['wi']) {
      matrix(`${dense}.${part}`, of.intermediate, of.dimensions);
    }
    list.push({
      name: `${dense}.wo.weight`,
      shape: [of.dimensions, of.intermediate],
      decay: true,
      overflowsHalf: true,
    });
    norm(`encoder.block.${l}.layer.1.layer_norm`);
  }
  norm('encoder.final_layer_norm');
  return list;
}

/** Mean over the tokens that are not padding; zero where there are none. @param hidden [B, T, D] @returns [B, D] */
function maskedMean(hidden: tf.Tensor3D, mask: tf.Tensor2D): tf.Tensor2D {
  const sum = tf.sum(tf.mul(hidden, tf.expandDims(mask, 2)), 1); // [B, D]
  return tf.div(sum, tf.maximum(tf.sum(mask, 1, true), 1));
}

const example: ModelConfig = {
  ...{ model_type: 't5', vocab_size: 48, d_model: 16, d_kv: 6, d_ff: 24, num_layers: 3, num_heads: 2 },
  ...{ relative_attention_num_buckets: 8, relative_attention_max_distance: 10 },
};

const t5: EncoderPlugin = {
  summary: "T5's encoder: the mean over tokens, relative positions, normalization before each block",
  modelTypes: { t5: 'T5EncoderModel' },
  landmark: 'encoder.block.0.layer.0.SelfAttention.q.weight',
  dropoutRates: ['dropout_rate'],
  learningRate: 5e-4,
  takesVocabulary: false,
  examples: { 't5-relu': example, 't5-gated': { ...example, feed_forward_proj: 'gated-gelu' } },
  storedNames: (name) => (name === 'shared.weight' ? [name, 'encoder.embed_tokens.weight'] : [name]),
  make: t5Encoder,
};

export default t5;
