/** BERT's encoder (Devlin et al. 2019), as transformers' BertModel computes it without a pooler. */

import { encoderOfBert } from '../model/bert-encoder.js';
import { bertFields } from '../model/bert-fields.js';
import { denseHead } from '../model/classification.js';
import type { Encoder, EncoderPlugin } from '../model/encoder.js';
import type { ModelConfig } from '../model/fields.js';
import { tiedTo } from '../model/head-names.js';
import { withOldNames, wordTable } from '../model/post-norm.js';
import * as tf from '../tensor/operations.js';

/**
 * @param config a BERT config.json
 * @throws BenchError CHECKPOINT_INVALID that lists every value that cannot be used
 */
export const bertEncoder = (config: ModelConfig): Encoder =>
  encoderOfBert(config, { kind: 'bert', title: 'BERT' });

const example: ModelConfig = {
  ...{ model_type: 'bert', vocab_size: 48, hidden_size: 16, num_hidden_layers: 3 },
  ...{ num_attention_heads: 2, intermediate_size: 24, max_position_embeddings: 20 },
};

const bert: EncoderPlugin = {
  summary: 'BERT: [CLS], absolute positions, normalization behind each block',
  modelTypes: { bert: 'BertModel' },
  landmark: 'encoder.layer.0.attention.self.query.weight',
  dropoutRates: ['hidden_dropout_prob', 'attention_probs_dropout_prob'],
  learningRate: 2e-5,
  takesVocabulary: true,
  examples: { 'bert-gelu': example, 'bert-gelu-new': { ...example, hidden_act: 'gelu_new' } },
  storedNames: withOldNames,
  make: bertEncoder,
  classification: ({ hidden_size: dimensions }, labels) =>
    denseHead({
      ...{ dimensions: Number(dimensions), labels, activate: tf.tanh },
      ...{ dense: 'bert.pooler.dense', out: 'classifier' },
    }),
  maskedHead(config) {
    const { epsilon, activate } = bertFields(config, { paddingId: 0 }).sizes;
    const own = 'cls.predictions';
    return {
      dense: { name: `${own}.transform.dense`, hasBias: true },
      norm: { name: `${own}.transform.LayerNorm`, hasBias: true },
      ...{ epsilon, activate, decoder: `${own}.decoder.weight`, ...tiedTo(config, wordTable) },
      biases: [`${own}.bias`, `${own}.decoder.bias`],
    };
  },
};

export default bert;
