/** ModernBERT (Warner et al. 2024), as transformers' ModernBertModel computes it. */
import type { EncoderShape, EncoderStates } from '../contracts.js';
import {
  activeSites,
  Dropouts,
  firstQueries,
  joinHeads,
  paddingBias,
  splitHeads,
} from '../model/attention.js';
import { denseHead } from '../model/classification.js';
import type {
  ClassificationHead,
  DropoutSite,
  Encoder,
  EncoderInput,
  EncoderPlugin,
  Parameter,
} from '../model/encoder.js';
import type { ModelConfig } from '../model/fields.js';
import { tiedTo } from '../model/head-names.js';
import { firstTokenStates } from '../model/last-layer.js';
import { type ModernBertFacts, modernBertFacts, modernBertHead } from '../model/modernbert-fields.js';
import { type RotaryTables, rotaryTables, rotation } from '../model/rotary.js';
import { layerNorm, linear } from '../tensor/layers.js';
import { lookUp } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';

type Tensor = tf.Tensor;

const wordTable = 'embeddings.tok_embeddings';

/** The most negative float32. */
const lowest = -3.4028234663852886e38;

function modernBertEncoder(config: ModelConfig): Encoder {
  const facts = modernBertFacts(config);
  const { layers, dimensions, heads, intermediate, isLocal, window, epsilon, activate } = facts;
  const { embeddingRate, attentionRate, mlpRate, vocabularySize, paddingId, maxTokens } = facts;
  const parameters = modernBertParameters(facts);
  const positionOf = new Map(parameters.map((parameter, i) => [parameter.name, i]));
  const headSize = dimensions / heads;
  // Made when something is computed: many ask for the shape alone.
  let tables: { global: RotaryTables; local: RotaryTables } | undefined;

  function states(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): EncoderStates {
    const [batch, tokens] = input.ids.shape;
    const find = <T extends Tensor>(name: string) => {
      const at = positionOf.get(name);
      return at === undefined ? undefined : (weights[at] as T);
    };
    const dropouts = new Dropouts(keep);
    const none = tf.zeros([dimensions]) as tf.Tensor1D;
    const project = (x: Tensor, name: string) => linear(x, find(`${name}.weight`)!, find(`${name}.bias`));
    const normalize = (x: Tensor, name: string) =>
      layerNorm(x, find(`${name}.weight`)!, find(`${name}.bias`) ?? none, epsilon);
    const padding = paddingBias(input.mask); // [B, 1, 1, T]
    tables ??= {
      global: rotaryTables(maxTokens, headSize, facts.globalTheta),
      local: rotaryTables(maxTokens, headSize, facts.localTheta),
    };
    const near = tf.minimum(padding, distanceBias(tokens, window)); // [B, 1, T, T]
    const global = { bias: padding, turn: rotation(tables.global) };
    const local = { bias: near, turn: rotation(tables.local) };

    const ids = tf.reshape(input.ids, [-1]) as tf.Tensor1D;
    const words = lookUp(find(`${wordTable}.weight`)!, ids, input.plan); // [B * T, D]
    const cube = tf.reshape(words, [batch, tokens, dimensions]);
    const embedded = dropouts.apply(normalize(cube, 'embeddings.norm'), embeddingRate) as tf.Tensor3D;

    /** Queries, or keys and values: some of the three parts of one matrix. @param rows [R, D] @returns [R, parts * D] */
    const partsOf = (rows: Tensor, layer: string, first: number, parts: number) => {
      const name = `${layer}.attn.Wqkv`;
      const [from, size] = [first * dimensions, parts * dimensions];
      const bias = find<tf.Tensor1D>(`${name}.bias`);
      return linear(
        rows,
        tf.slice(find<tf.Tensor2D>(`${name}.weight`)!, [from, 0], [size, dimensions]),
        bias && tf.slice(bias, [from], [size]),
      );
    };

    /** @param positions for how many of the first tokens the output is computed @returns [B, positions, D] */
    function block(l: number, h: tf.Tensor3D, positions: number, masks: Dropouts): tf.Tensor3D {
      const layer = `layers.${l}`;
      const { bias, turn } = isLocal[l] ? local : global;
      const calm = l === 0 ? h : normalize(h, `${layer}.attn_norm`);
      const flat = (x: Tensor, count: number) =>
        tf.reshape(count === tokens ? x : tf.slice(x, [0, 0, 0], [batch, count, dimensions]), [
          batch * count,
          dimensions,
        ]);
      const both = partsOf(flat(calm, tokens), layer, 1, 2); // [B * T, 2 D]
      const half = (at: number) =>
        splitHeads(tf.slice(both, [0, at * dimensions], [batch * tokens, dimensions]), batch, tokens, heads);
      const query = splitHeads(partsOf(flat(calm, positions), layer, 0, 1), batch, positions, heads); // [B, H, positions, K]
      const scaled = tf.mul(turn(query), headSize ** -0.5);
      const products = tf.matMul(scaled, turn(half(0)), false, true); // [B, H, positions, T]
      const scores = tf.add(products, firstQueries(bias, positions));
      const attention = masks.apply(tf.softmax(scores), attentionRate, positions);
      const mixed = joinHeads(tf.matMul(attention, half(1))); // [B * positions, D]
      const cubed = (x: Tensor) => tf.reshape(x, [batch, positions, dimensions]);
      const attended = masks.apply(cubed(project(mixed, `${layer}.attn.Wo`)), attentionRate, positions);
      const stream = tf.add(cubed(flat(h, positions)), attended); // [B, positions, D]
      const wide = project(normalize(stream, `${layer}.mlp_norm`), `${layer}.mlp.Wi`); // [B, positions, 2 F]
      const part = (at: number) =>
        tf.slice(wide, [0, 0, at * intermediate], [batch, positions, intermediate]);
      const gated = masks.apply(tf.mul(activate(part(0)), part(1)), mlpRate, positions); // [B, positions, F]
      const output = tf.add(stream, project(gated, `${layer}.mlp.Wo`)) as tf.Tensor3D;
      return l === layers - 1 ? (normalize(output, 'final_norm') as tf.Tensor3D) : output;
    }

    return firstTokenStates(embedded, layers, input.mask, dropouts, block);
  }

  const shape: EncoderShape = {
    ...{ kind: 'modernbert', layers, dimensions, maxTokens, summary: 'first-token' as const },
  };
  return {
    ...{ shape, heads, intermediate, vocabularySize, paddingId, parameters, config, states },
    trainsPadding: false,
    dropoutSites(batch, tokens) {
      const vectors = (rate: number): DropoutSite => ({ shape: [batch, tokens, dimensions], rate });
      const attention: DropoutSite = { shape: [batch, heads, tokens, tokens], rate: attentionRate };
      const wide: DropoutSite = { shape: [batch, tokens, intermediate], rate: mlpRate };
      const layer = [attention, vectors(attentionRate), wide];
      return activeSites([vectors(embeddingRate), ...Array.from({ length: layers }, () => layer).flat()]);
    },
  };
}

/** Pooling, a dense layer, an activation and a normalization stand before the layer of the logits. */
function modernBertClassification(config: ModelConfig, labels: number): ClassificationHead {
  const {
    dimensions,
    epsilon,
    hasBias: { norm },
  } = modernBertFacts(config);
  const { activate, hasBias: own, pooling } = modernBertHead(config);
  return denseHead({
    ...{ dimensions, labels, activate, denseBias: own.dense, dense: 'head.dense', out: 'classifier' },
    norm: { name: 'head.norm', epsilon, hasBias: norm },
    ...(pooling === 'mean' && { pool: meanOverTokens }),
  });
}

/** @returns [B, D] */
function meanOverTokens({ hidden, mask }: EncoderStates): tf.Tensor2D {
  const present = tf.expandDims(mask, 2); // [B, T, 1]
  const sum = tf.sum(tf.mul(hidden[hidden.length - 1]!, present), 1);
  return tf.div(sum, tf.sum(present, 1)) as tf.Tensor2D;
}

/** What is added to scores so that a token sees those alone that are no further away. @returns [1, 1, T, T] */
function distanceBias(tokens: number, window: number): Tensor {
  const places = tf.range(0, tokens, 1, 'int32');
  const distance = tf.abs(tf.sub(tf.expandDims(places, 0), tf.expandDims(places, 1))); // [T, T]
  const isFar = tf.cast(tf.greater(distance, tf.scalar(window, 'int32')), 'float32');
  return tf.reshape(tf.mul(isFar, lowest), [1, 1, tokens, tokens]);
}

function modernBertParameters(facts: ModernBertFacts): Parameter[] {
  const { layers, dimensions, intermediate, vocabularySize, hasBias } = facts;
  const list: Parameter[] = [
    { name: `${wordTable}.weight`, shape: [vocabularySize, dimensions], decay: true },
  ];
  const norm = (name: string) => {
    list.push({ name: `${name}.weight`, shape: [dimensions], decay: false });
    if (hasBias.norm) list.push({ name: `${name}.bias`, shape: [dimensions], decay: false });
  };
  const dense = (name: string, outputs: number, inputs: number, biased: boolean) => {
    list.push({ name: `${name}.weight`, shape: [outputs, inputs], decay: true });
    if (biased) list.push({ name: `${name}.bias`, shape: [outputs], decay: false });
  };
  norm('embeddings.norm');
  for (let l = 0; l < layers; l++) {
    const layer = `layers.${l}`;
    // The first layer's stands behind the embeddings.
    if (l > 0) norm(`${layer}.attn_norm`);
    dense(`${layer}.attn.Wqkv`, 3 * dimensions, dimensions, hasBias.attention);
    dense(`${layer}.attn.Wo`, dimensions, dimensions, hasBias.attention);
    norm(`${layer}.mlp_norm`);
    dense(`${layer}.mlp.Wi`, 2 * intermediate, dimensions, hasBias.mlp);
    dense(`${layer}.mlp.Wo`, dimensions, intermediate, hasBias.mlp);
  }
  norm('final_norm');
  return list;
}

const example: ModelConfig = {
  ...{ model_type: 'modernbert', vocab_size: 47, hidden_size: 24, num_hidden_layers: 4, pad_token_id: 3 },
  ...{ num_attention_heads: 4, intermediate_size: 14, max_position_embeddings: 19, local_attention: 4 },
};

const modernbert: EncoderPlugin = {
  summary: 'ModernBERT: [CLS], rotary positions, global and local attention, normalization before each block',
  modelTypes: { modernbert: 'ModernBertModel' },
  landmark: 'layers.0.attn.Wqkv.weight',
  dropoutRates: ['embedding_dropout', 'attention_dropout', 'mlp_dropout'],
  learningRate: 2e-5,
  takesVocabulary: false,
  examples: {
    modernbert: example,
    'modernbert-biased': {
      ...{ ...example, attention_bias: true, mlp_bias: true, norm_bias: true },
      layer_types: ['sliding_attention', 'full_attention', 'full_attention', 'sliding_attention'],
    },
  },
  make: modernBertEncoder,
  classification: modernBertClassification,
  maskedHead(config) {
    const { activate, hasBias } = modernBertHead(config);
    const facts = modernBertFacts(config);
    return {
      dense: { name: 'head.dense', hasBias: hasBias.dense },
      norm: { name: 'head.norm', hasBias: facts.hasBias.norm },
      ...{ epsilon: facts.epsilon, activate, decoder: 'decoder.weight', ...tiedTo(config, wordTable) },
      biases: hasBias.decoder ? ['decoder.bias'] : [],
    };
  },
};

export default modernbert;
