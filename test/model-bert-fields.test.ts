/** What stands where the config.json of BERT is silent, as transformers' BertConfig has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bertFields } from '../harness/model/bert-fields.js';
import { gelu } from '../harness/tensor/layers.js';

const least = {
  num_hidden_layers: 2,
  hidden_size: 8,
  num_attention_heads: 2,
  intermediate_size: 12,
  vocab_size: 30,
};

test('what is not said has the default of the published code', () => {
  const { fields, sizes } = bertFields(least, { paddingId: 1 });
  fields.check('BERT');
  assert.deepEqual(sizes, {
    ...{ layers: 2, dimensions: 8, heads: 2, intermediate: 12, vocabularySize: 30, positions: 512 },
    ...{ paddingId: 1, epsilon: 1e-12, hiddenRate: 0.1, attentionRate: 0.1, activate: gelu },
  });
});

test('what is said holds', () => {
  const said = { layer_norm_eps: 1e-5, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0.2 };
  const { sizes } = bertFields(
    { ...least, ...said, max_position_embeddings: 40, pad_token_id: 0 },
    { paddingId: 1 },
  );
  assert.deepEqual(
    [sizes.epsilon, sizes.hiddenRate, sizes.attentionRate, sizes.positions, sizes.paddingId],
    [1e-5, 0, 0.2, 40, 0],
  );
});
