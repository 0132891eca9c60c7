/** What the config.json of BERT and of those that keep its names says, and those names. */
import { activationNames, activations } from './activations.js';
import { ConfigFields, type ModelConfig } from './fields.js';
import type { LayerNames } from './post-norm.js';

/** The tables beside that of the words. */
export const bertTables = {
  positions: 'embeddings.position_embeddings',
  types: 'embeddings.token_type_embeddings',
} as const;

/**
 * The fields by which BERT, RoBERTa and MPNet agree. What is wrong with them is told when the fields are checked.
 * @param usual the values that stand where the file is silent
 */
export function bertFields(config: ModelConfig, usual: { paddingId: number }) {
  const fields = new ConfigFields(config);
  fields.refuseDecoder();
  const sizes = {
    layers: fields.layers('num_hidden_layers'),
    dimensions: fields.count('hidden_size'),
    heads: fields.count('num_attention_heads'),
    intermediate: fields.count('intermediate_size'),
    vocabularySize: fields.count('vocab_size'),
    positions: fields.count('max_position_embeddings', 512),
    paddingId: fields.count('pad_token_id', usual.paddingId, 0),
    epsilon: fields.epsilon('layer_norm_eps', 1e-12),
    hiddenRate: fields.rate('hidden_dropout_prob', 0.1),
    attentionRate: fields.rate('attention_probs_dropout_prob', 0.1),
    activate: activations[fields.word('hidden_act', activationNames, 'gelu')],
  };
  fields.word('position_embedding_type', ['absolute'], 'absolute');
  fields.divides('num_attention_heads', sizes.heads, 'hidden_size', sizes.dimensions);
  fields.isToken('pad_token_id', sizes.paddingId, sizes.vocabularySize);
  return { fields, sizes };
}

export function bertLayer(l: number): LayerNames {
  const layer = `encoder.layer.${l}`;
  return {
    query: `${layer}.attention.self.query`,
    key: `${layer}.attention.self.key`,
    value: `${layer}.attention.self.value`,
    output: `${layer}.attention.output.dense`,
    outputNorm: `${layer}.attention.output.LayerNorm`,
    wide: `${layer}.intermediate.dense`,
    narrow: `${layer}.output.dense`,
    narrowNorm: `${layer}.output.LayerNorm`,
  };
}
