/** BERT's encoder (Devlin et al. 2019), as transformers' BertModel computes it without a pooler. */
import type { EncoderStates } from '../contracts.js';
import { layerNorm, linear } from '../tensor/layers.js';
import { lookUp } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';
import { activationNames, activations } from './activations.js';
import { activeSites, Dropouts, joinHeads, paddingBias, splitHeads } from './attention.js';
import type { DropoutSite, Encoder, EncoderInput, Parameter } from './encoder.js';
import { ConfigFields, type ModelConfig } from './fields.js';

type Tensor = tf.Tensor;

interface BertSizes {
  layers: number;
  dimensions: number;
  heads: number;
  intermediate: number;
  vocabularySize: number;
  positions: number;
  types: number;
}

/**
 * @param config a BERT config.json
 * @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used
 */
export function bertEncoder(config: ModelConfig): Encoder {
  const fields = new ConfigFields(config);
  fields.refuseDecoder();
  const sizes: BertSizes = {
    layers: fields.layers('num_hidden_layers'),
    dimensions: fields.count('hidden_size'),
    heads: fields.count('num_attention_heads'),
    intermediate: fields.count('intermediate_size'),
    vocabularySize: fields.count('vocab_size'),
    positions: fields.count('max_position_embeddings', 512),
    types: fields.count('type_vocab_size', 2),
  };
  const paddingId = fields.count('pad_token_id', 0, 0);
  const epsilon = fields.epsilon('layer_norm_eps', 1e-12);
  const hiddenRate = fields.rate('hidden_dropout_prob', 0.1);
  const attentionRate = fields.rate('attention_probs_dropout_prob', 0.1);
  const activate = activations[fields.word('hidden_act', activationNames, 'gelu')];
  fields.word('position_embedding_type', ['absolute'], 'absolute');
  if (sizes.dimensions % sizes.heads !== 0) {
    fields.problem(`hidden_size ${sizes.dimensions} cannot be divided by num_attention_heads ${sizes.heads}`);
  }
  if (paddingId >= sizes.vocabularySize) {
    fields.problem(`pad_token_id ${paddingId} is outside a vocabulary of ${sizes.vocabularySize}`);
  }
  fields.check('BERT');

  const parameters = bertParameters(sizes);
  const positionOf = new Map(parameters.map((parameter, i) => [parameter.name, i]));
  const { layers, dimensions, heads } = sizes;

  function states(weights: readonly Tensor[], input: EncoderInput, keep?: readonly Tensor[]): EncoderStates {
    const [batch, tokens] = input.ids.shape;
    const weight = <T extends Tensor>(name: string) => weights[positionOf.get(name)!] as T;
    const dropouts = new Dropouts(keep);
    const project = (x: Tensor, name: string) => linear(x, weight(`${name}.weight`), weight(`${name}.bias`));
    const normalize = (x: Tensor, name: string) =>
      layerNorm(x, weight(`${name}.weight`), weight(`${name}.bias`), epsilon);
    const bias = paddingBias(input.mask); // [B, 1, 1, T]

    const ids = tf.reshape(input.ids, [-1]) as tf.Tensor1D;
    const words = lookUp(weight('embeddings.word_embeddings.weight'), ids, input.plan); // [B * T, D]
    const places = tf.slice(weight('embeddings.position_embeddings.weight'), [0, 0], [tokens, dimensions]); // [T, D]
    const type = tf.slice(weight('embeddings.token_type_embeddings.weight'), [0, 0], [1, dimensions]); // [1, D]
    const sum = tf.add(tf.reshape(words, [batch, tokens, dimensions]), tf.add(places, type)); // [B, T, D]
    const embedded = dropouts.apply(normalize(sum, 'embeddings.LayerNorm'), hiddenRate) as tf.Tensor3D;

    /** @param positions for how many of the first tokens the output is computed @returns [B, positions, D] */
    function block(l: number, h: tf.Tensor3D, positions: number, masks: Dropouts): tf.Tensor3D {
      const layer = `encoder.layer.${l}`;
      const all = tf.reshape(h, [batch * tokens, dimensions]); // [B * T, D]
      const own =
        positions === tokens
          ? all
          : tf.reshape(tf.slice(h, [0, 0, 0], [batch, positions, dimensions]), [
              batch * positions,
              dimensions,
            ]);
      const part = (name: string, rows: Tensor, count: number) =>
        splitHeads(project(rows, `${layer}.attention.self.${name}`), batch, count, heads); // [B, H, count, K]
      const scaled = tf.mul(part('query', own, positions), 1 / Math.sqrt(dimensions / heads));
      const scores = tf.add(tf.matMul(scaled, part('key', all, tokens), false, true), bias); // [B, H, positions, T]
      const attention = masks.apply(tf.softmax(scores), attentionRate, positions);
      const mixed = joinHeads(tf.matMul(attention, part('value', all, tokens))); // [B * positions, D]
      const attended = masks.apply(project(mixed, `${layer}.attention.output.dense`), hiddenRate, positions);
      const inner = normalize(tf.add(attended, own), `${layer}.attention.output.LayerNorm`);
      const wide = activate(project(inner, `${layer}.intermediate.dense`)); // [B * positions, F]
      const narrow = masks.apply(project(wide, `${layer}.output.dense`), hiddenRate, positions); // [B * positions, D]
      const output = normalize(tf.add(narrow, inner), `${layer}.output.LayerNorm`);
      return tf.reshape(output, [batch, positions, dimensions]); // [B, positions, D]
    }

    const hidden = [embedded];
    for (let l = 0; l < layers - 1; l++) hidden.push(block(l, hidden[l]!, tokens, dropouts));
    // The last layer waits until it is known what is wanted of it: for [CLS] alone it is a fraction of the work.
    const last = (positions: number) => block(layers - 1, hidden[layers - 1]!, positions, dropouts.fork());
    let whole: tf.Tensor3D | undefined;
    Object.defineProperty(hidden, layers, {
      enumerable: true,
      get() {
        whole ??= last(tokens);
        return whole;
      },
    });
    const summary = (layer: number) =>
      firstToken(layer === layers && whole === undefined ? last(1) : hidden[layer]!);
    return { hidden, mask: input.mask, summary };
  }

  return {
    shape: { kind: 'bert', layers, dimensions, maxTokens: sizes.positions },
    vocabularySize: sizes.vocabularySize,
    paddingId,
    trainsPadding: false,
    parameters,
    config,
    dropoutSites(batch, tokens) {
      const vectors: DropoutSite = { shape: [batch, tokens, dimensions], rate: hiddenRate };
      const attention: DropoutSite = { shape: [batch, heads, tokens, tokens], rate: attentionRate };
      const layer = [attention, vectors, vectors];
      return activeSites([vectors, ...Array.from({ length: layers }, () => layer).flat()]);
    },
    states,
  };
}

/** [CLS] of every text. @param hidden [B, T, D] @returns [B, D] */
function firstToken(hidden: tf.Tensor3D): tf.Tensor2D {
  const [batch, , dimensions] = hidden.shape;
  return tf.reshape(tf.slice(hidden, [0, 0, 0], [batch, 1, dimensions]), [batch, dimensions]);
}

function bertParameters(sizes: BertSizes): Parameter[] {
  const { dimensions, intermediate } = sizes;
  const parameters: Parameter[] = [];
  const table = (name: string, rows: number) =>
    parameters.push({ name: `embeddings.${name}.weight`, shape: [rows, dimensions], decay: true });
  const dense = (name: string, outputs: number, inputs: number) =>
    parameters.push(
      { name: `${name}.weight`, shape: [outputs, inputs], decay: true },
      { name: `${name}.bias`, shape: [outputs], decay: false },
    );
  const norm = (name: string) =>
    parameters.push(
      { name: `${name}.LayerNorm.weight`, shape: [dimensions], decay: false },
      { name: `${name}.LayerNorm.bias`, shape: [dimensions], decay: false },
    );
  table('word_embeddings', sizes.vocabularySize);
  table('position_embeddings', sizes.positions);
  table('token_type_embeddings', sizes.types);
  norm('embeddings');
  for (let l = 0; l < sizes.layers; l++) {
    const layer = `encoder.layer.${l}`;
    for (const part of ['query', 'key', 'value']) {
      dense(`${layer}.attention.self.${part}`, dimensions, dimensions);
    }
    dense(`${layer}.attention.output.dense`, dimensions, dimensions);
    norm(`${layer}.attention.output`);
    dense(`${layer}.intermediate.dense`, intermediate, dimensions);
    dense(`${layer}.output.dense`, dimensions, intermediate);
    norm(`${layer}.output`);
  }
  return parameters;
}
