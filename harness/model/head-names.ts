/** What heads of masked language models have in common, for the files of encoders. */
import { activations } from './activations.js';
import type { MaskedHead } from './encoder.js';
import type { ModelConfig } from './fields.js';

/** Whether the product is with the encoder's own table of words, as it usually is. @param table without `.weight` */
export const tiedTo = ({ tie_word_embeddings: tied }: ModelConfig, table: string): { tiedTo?: string } =>
  tied === false ? {} : { tiedTo: `${table}.weight` };

/** `lm_head`, as RoBERTa, XLM-R and MPNet have it. */
export const lmHead = (config: ModelConfig, epsilon: number, table: string): MaskedHead => ({
  dense: { name: 'lm_head.dense', hasBias: true },
  norm: { name: 'lm_head.layer_norm', hasBias: true },
  // In transformers' code, whatever hidden_act says.
  ...{ epsilon, activate: activations.gelu, decoder: 'lm_head.decoder.weight', ...tiedTo(config, table) },
  biases: ['lm_head.bias', 'lm_head.decoder.bias'],
});
