/** MPNet (Song et al. 2020), as transformers' MPNetModel computes it without a pooler. */
import { bertFields, bertTables } from '../model/bert-fields.js';
import { denseHead } from '../model/classification.js';
import type { Encoder, EncoderPlugin } from '../model/encoder.js';
import type { ModelConfig } from '../model/fields.js';
import { lmHead } from '../model/head-names.js';
import { paddedPositions } from '../model/padded-positions.js';
import { type LayerNames, postNormEncoder, withOldNames, wordTable } from '../model/post-norm.js';
import { relativeBuckets } from '../model/relative-position.js';
import { lookUpFew } from '../tensor/look-up.js';
import * as tf from '../tensor/operations.js';

/** Of distances; transformers has them in its code, whatever a config.json says. */
const buckets = 32;
const maxDistance = 128;
/** Of padding, in transformers' code as well. */
const paddingId = 1;
const biasTable = 'encoder.relative_attention_bias.weight';

function mpnetEncoder(config: ModelConfig): Encoder {
  const { fields, sizes } = bertFields(config, { paddingId });
  fields.count('relative_attention_num_buckets', buckets, buckets, buckets);
  if (sizes.paddingId !== paddingId) fields.problem(`pad_token_id is ${sizes.paddingId}; supported: 1`);
  const { heads, positions } = sizes;
  fields.leavesPositions(positions, paddingId);
  fields.check('MPNet');
  return postNormEncoder({
    ...{ ...sizes, kind: 'mpnet', config, maxTokens: positions - paddingId - 1, dropsAttended: true },
    tables: [{ name: bertTables.positions, rows: positions }],
    names: mpnetLayer,
    // As in transformers' Trainer, by its name.
    more: [{ name: biasTable, shape: [buckets, heads], decay: false }],
    places: (weight, { ids }) => paddedPositions(weight(`${bertTables.positions}.weight`), ids, paddingId),
    scoreBias(weight, tokens) {
      const pairs = relativeBuckets(tokens, buckets, maxDistance); // [T, T]
      return tf.expandDims(tf.transpose(lookUpFew(weight(biasTable), pairs), [2, 0, 1]), 0); // [1, H, T, T]
    },
  });
}

function mpnetLayer(l: number): LayerNames {
  const layer = `encoder.layer.${l}`;
  return {
    query: `${layer}.attention.attn.q`,
    key: `${layer}.attention.attn.k`,
    value: `${layer}.attention.attn.v`,
    output: `${layer}.attention.attn.o`,
    outputNorm: `${layer}.attention.LayerNorm`,
    wide: `${layer}.intermediate.dense`,
    narrow: `${layer}.output.dense`,
    narrowNorm: `${layer}.output.LayerNorm`,
  };
}

const mpnet: EncoderPlugin = {
  summary: 'MPNet: <s>, positions that leave padding out and relative ones, normalization behind each block',
  modelTypes: { mpnet: 'MPNetModel' },
  landmark: 'encoder.layer.0.attention.attn.q.weight',
  dropoutRates: ['hidden_dropout_prob', 'attention_probs_dropout_prob'],
  learningRate: 2e-5,
  takesVocabulary: false,
  examples: {
    mpnet: {
      ...{ model_type: 'mpnet', vocab_size: 47, hidden_size: 24, num_hidden_layers: 3 },
      ...{ num_attention_heads: 4, intermediate_size: 28, max_position_embeddings: 19, layer_norm_eps: 1e-5 },
    },
  },
  storedNames: withOldNames,
  make: mpnetEncoder,
  classification: ({ hidden_size: dimensions }, labels) =>
    denseHead({
      ...{ dimensions: Number(dimensions), labels, activate: tf.tanh },
      ...{ dense: 'classifier.dense', out: 'classifier.out_proj' },
    }),
  maskedHead: (config) => lmHead(config, bertFields(config, { paddingId }).sizes.epsilon, wordTable),
};

export default mpnet;
