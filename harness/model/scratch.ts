/** `--model scratch`: a BERT of any size with random weights, for where no checkpoint can be had. */
import { refuseBeyondMemory } from '../program/memory.js';
import { stream } from '../random.js';
import { sizeOf } from '../tensor/engine.js';
import { type LoadedEncoder, makeEncoder } from './checkpoint.js';
import type { Encoder, Parameter } from './encoder.js';

/** What is made. */
export const scratchKind = { kind: 'bert', summary: 'first-token' } as const;

export interface ScratchSizes {
  /** L */
  layers: number;
  /** D */
  dimensions: number;
  heads: number;
  /** Width of the feed-forward blocks. */
  intermediate: number;
  vocabularySize: number;
  maxTokens: number;
  /** Share of values dropped while training, at every site. */
  dropout: number;
}

/** Of transformers: what tables of words, and queries and keys, are drawn from. */
const initializerRange = 0.02;

/**
 * A BERT whose [CLS] is near a bag of words before it has learned anything, which is what makes it learn retrieval in
 * minutes: attention even (queries and keys N(0, 0.02), as transformers), what is attended to passed on at its own scale
 * (the other matrices as Glorot and Bengio 2010), places quiet beside words (a tenth of their table's 0.02). Biases 0,
 * normalization weights 1, the padding token's row 0.
 * @throws BenchError CHECKPOINT_INVALID where the sizes do not fit each other, OUT_OF_MEMORY
 */
export function scratchEncoder(sizes: ScratchSizes, seed: number): LoadedEncoder {
  const encoder = describeScratch(sizes);
  const bytes = 4 * encoder.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  refuseBeyondMemory(bytes, 'The weights of a model of these sizes', 'Make model.scratch.* smaller.');
  const weights = encoder.parameters.map((parameter) => initialise(parameter, seed));
  weights[0]!.fill(0, encoder.paddingId * sizes.dimensions, (encoder.paddingId + 1) * sizes.dimensions);
  return { encoder, weights };
}

/** Without its weights. @throws BenchError CHECKPOINT_INVALID where the sizes do not fit each other */
export function describeScratch(sizes: ScratchSizes): Encoder {
  return makeEncoder({
    model_type: scratchKind.kind,
    architectures: ['BertModel'],
    vocab_size: sizes.vocabularySize,
    hidden_size: sizes.dimensions,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    intermediate_size: sizes.intermediate,
    max_position_embeddings: sizes.maxTokens,
    type_vocab_size: 2,
    hidden_act: 'gelu',
    layer_norm_eps: 1e-12,
    hidden_dropout_prob: sizes.dropout,
    attention_probs_dropout_prob: sizes.dropout,
    initializer_range: initializerRange,
    pad_token_id: 0,
  });
}

function initialise({ name, shape }: Parameter, seed: number): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (name.endsWith('LayerNorm.weight')) return values.fill(1);
  if (name.endsWith('.bias')) return values;
  const draws = stream(seed, 'weights', name);
  const deviation = deviationOf(name, shape);
  return values.map(() => deviation * draws.normal());
}

function deviationOf(name: string, shape: readonly number[]): number {
  if (/position_embeddings|token_type_embeddings/.test(name)) return initializerRange / 10;
  if (/word_embeddings|self\.(query|key)/.test(name)) return initializerRange;
  return Math.sqrt(2 / (shape[0]! + shape[1]!));
}
