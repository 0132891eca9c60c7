/** DistilBERT (Sanh et al. 2019), as transformers' DistilBertModel computes it. */
import { activationNames, activations } from '../model/activations.js';
import { bertTables } from '../model/bert-fields.js';
import { denseHead } from '../model/classification.js';
import type { Encoder, EncoderPlugin } from '../model/encoder.js';
import { ConfigFields, type ModelConfig } from '../model/fields.js';
import { tiedTo } from '../model/head-names.js';
import { type LayerNames, postNormEncoder, withOldNames, wordTable } from '../model/post-norm.js';
import * as tf from '../tensor/operations.js';

function distilbertEncoder(config: ModelConfig): Encoder {
  const fields = new ConfigFields(config);
  fields.refuseDecoder();
  const dimensions = fields.count('dim');
  const heads = fields.count('n_heads');
  const vocabularySize = fields.count('vocab_size');
  const maxTokens = fields.count('max_position_embeddings', 512);
  const paddingId = fields.count('pad_token_id', 0, 0);
  const sizes = {
    layers: fields.layers('n_layers'),
    intermediate: fields.count('hidden_dim'),
    hiddenRate: fields.rate('dropout', 0.1),
    attentionRate: fields.rate('attention_dropout', 0.1),
    activate: activationOf(fields),
  };
  // Those are not trained, and here every table is.
  fields.same('sinusoidal_pos_embds', false);
  fields.divides('n_heads', heads, 'dim', dimensions);
  fields.isToken('pad_token_id', paddingId, vocabularySize);
  fields.check('DistilBERT');
  return postNormEncoder({
    ...{ ...sizes, kind: 'distilbert', config, dimensions, heads, vocabularySize, maxTokens, paddingId },
    ...{ epsilon: 1e-12, dropsAttended: false },
    tables: [{ name: bertTables.positions, rows: maxTokens }],
    names: distilbertLayer,
    places: (weight, { ids }) =>
      tf.slice(weight(`${bertTables.positions}.weight`), [0, 0], [ids.shape[1], dimensions]), // [T, D]
  });
}

const activationOf = (fields: ConfigFields) =>
  activations[fields.word('activation', activationNames, 'gelu')];

function distilbertLayer(l: number): LayerNames {
  const layer = `transformer.layer.${l}`;
  return {
    query: `${layer}.attention.q_lin`,
    key: `${layer}.attention.k_lin`,
    value: `${layer}.attention.v_lin`,
    output: `${layer}.attention.out_lin`,
    outputNorm: `${layer}.sa_layer_norm`,
    wide: `${layer}.ffn.lin1`,
    narrow: `${layer}.ffn.lin2`,
    narrowNorm: `${layer}.output_layer_norm`,
  };
}

const distilbert: EncoderPlugin = {
  summary: 'DistilBERT: [CLS], absolute positions, no token types, normalization behind each block',
  modelTypes: { distilbert: 'DistilBertModel' },
  landmark: 'transformer.layer.0.attention.q_lin.weight',
  dropoutRates: ['dropout', 'attention_dropout'],
  learningRate: 2e-5,
  takesVocabulary: true,
  examples: {
    distilbert: {
      ...{ model_type: 'distilbert', vocab_size: 47, dim: 20, n_layers: 3, n_heads: 4 },
      ...{ hidden_dim: 28, max_position_embeddings: 19 },
    },
  },
  storedNames: withOldNames,
  make: distilbertEncoder,
  classification: ({ dim: dimensions }, labels) =>
    denseHead({
      ...{ dimensions: Number(dimensions), labels, activate: tf.relu },
      ...{ dense: 'pre_classifier', out: 'classifier' },
    }),
  maskedHead: (config) => ({
    dense: { name: 'vocab_transform', hasBias: true },
    norm: { name: 'vocab_layer_norm', hasBias: true },
    epsilon: 1e-12,
    activate: activationOf(new ConfigFields(config)),
    ...{ decoder: 'vocab_projector.weight', ...tiedTo(config, wordTable) },
    biases: ['vocab_projector.bias'],
  }),
};

export default distilbert;
