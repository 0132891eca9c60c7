/** ELECTRA's discriminator (Clark et al. 2020), as transformers' ElectraModel computes it. */

import { encoderOfBert } from '../model/bert-encoder.js';
import { denseHead } from '../model/classification.js';
import type { EncoderPlugin } from '../model/encoder.js';
import { withOldNames } from '../model/post-norm.js';
import { gelu } from '../tensor/layers.js';

const electra: EncoderPlugin = {
  summary: 'ELECTRA: BERT trained to find replaced words; embeddings as wide as its layers',
  modelTypes: { electra: 'ElectraModel' },
  landmark: 'encoder.layer.0.attention.self.query.weight',
  dropoutRates: ['hidden_dropout_prob', 'attention_probs_dropout_prob'],
  learningRate: 2e-5,
  takesVocabulary: true,
  examples: {
    electra: {
      ...{ model_type: 'electra', vocab_size: 47, embedding_size: 20, hidden_size: 20, num_hidden_layers: 3 },
      ...{ num_attention_heads: 4, intermediate_size: 28, max_position_embeddings: 19 },
    },
  },
  storedNames: withOldNames,
  make: (config) =>
    encoderOfBert(config, { kind: 'electra', title: 'ELECTRA' }, (fields, dimensions) => {
      const width = fields.count('embedding_size', 128);
      if (width !== dimensions)
        fields.problem(`embedding_size is ${width}; supported: hidden_size, here ${dimensions}`);
    }),
  classification: ({ hidden_size: dimensions }, labels) =>
    denseHead({
      ...{ dimensions: Number(dimensions), labels, activate: gelu },
      ...{ dense: 'classifier.dense', out: 'classifier.out_proj' },
    }),
};

export default electra;
