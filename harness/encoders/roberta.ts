/** RoBERTa (Liu et al. 2019) and XLM-R (Conneau et al. 2020), as transformers' RobertaModel computes them without a pooler. */
import { bertFields, bertLayer, bertTables } from '../model/bert-fields.js';
import { denseHead } from '../model/classification.js';
import type { Encoder, EncoderPlugin } from '../model/encoder.js';
import type { ModelConfig } from '../model/fields.js';
import { lmHead } from '../model/head-names.js';
import { paddedPositions } from '../model/padded-positions.js';
import { postNormEncoder, withOldNames, wordTable } from '../model/post-norm.js';
import { segmentVectors } from '../model/segments.js';
import * as tf from '../tensor/operations.js';

function robertaEncoder(config: ModelConfig): Encoder {
  const { fields, sizes } = bertFields(config, { paddingId: 1 });
  const types = fields.count('type_vocab_size', 2);
  const { dimensions, paddingId, positions } = sizes;
  // The rows up to padding's own are no token's.
  const maxTokens = positions - paddingId - 1;
  fields.leavesPositions(positions, paddingId);
  fields.check('RoBERTa');
  return postNormEncoder({
    ...{ ...sizes, kind: 'roberta', config, maxTokens, dropsAttended: true },
    tables: [
      { name: bertTables.positions, rows: positions },
      { name: bertTables.types, rows: types },
    ],
    names: bertLayer,
    segments: types,
    places(weight, input) {
      const places = paddedPositions(weight(`${bertTables.positions}.weight`), input.ids, paddingId); // [B, T, D]
      return tf.add(places, segmentVectors(weight, input, dimensions));
    },
  });
}

const example: ModelConfig = {
  ...{ model_type: 'roberta', vocab_size: 47, hidden_size: 20, num_hidden_layers: 3, type_vocab_size: 1 },
  ...{ num_attention_heads: 4, intermediate_size: 28, max_position_embeddings: 19, layer_norm_eps: 1e-5 },
};

const roberta: EncoderPlugin = {
  summary: 'RoBERTa and XLM-R: <s>, positions that leave padding out, normalization behind each block',
  modelTypes: { roberta: 'RobertaModel', 'xlm-roberta': 'XLMRobertaModel' },
  landmark: 'encoder.layer.0.attention.self.query.weight',
  dropoutRates: ['hidden_dropout_prob', 'attention_probs_dropout_prob'],
  learningRate: 2e-5,
  takesVocabulary: false,
  examples: { roberta: example, 'xlm-roberta': { ...example, model_type: 'xlm-roberta' } },
  storedNames: withOldNames,
  make: robertaEncoder,
  classification: ({ hidden_size: dimensions }, labels) =>
    denseHead({
      ...{ dimensions: Number(dimensions), labels, activate: tf.tanh },
      ...{ dense: 'classifier.dense', out: 'classifier.out_proj' },
    }),
  maskedHead: (config) => lmHead(config, bertFields(config, { paddingId: 1 }).sizes.epsilon, wordTable),
};

export default roberta;
