/** Small retrievers with random weights, for tests of exporting. */
import type { ArchitectureOptions } from '../harness/contracts.js';
import { t5Encoder } from '../harness/encoders/t5.js';
import type { TrainedRetriever } from '../harness/export/trained-retriever.js';
import { makeEncoder } from '../harness/model/checkpoint.js';
import { encoders } from '../harness/model/known-encoders.js';
import { Retriever } from '../harness/model/retriever.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { loadArchitecture } from '../harness/plugins.js';
import { stream } from '../harness/random.js';
import { sizeOf } from '../harness/tensor/engine.js';
import { bertTokenizerJson } from '../harness/text/bert-tokenizer.js';
import { makeTokenizer } from '../harness/text/tokenizer.js';
import type { Kind } from './found-architectures.js';

const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'red', 'green', '##ish', 'a', 'b', '.'];
export const madeTokenizer = await makeTokenizer(bertTokenizerJson(words));
const vocabularySize = 40;

function encoderOf(kind: Kind) {
  if (kind === 'bert') {
    const sizes = { layers: 2, dimensions: 8, heads: 2, intermediate: 12, vocabularySize, maxTokens: 24 };
    return scratchEncoder({ ...sizes, dropout: 0 }, 1).encoder;
  }
  return t5Encoder({
    model_type: 't5',
    num_layers: 2,
    d_model: 8,
    num_heads: 2,
    d_kv: 3,
    d_ff: 12,
    vocab_size: vocabularySize,
    relative_attention_num_buckets: 8,
    relative_attention_max_distance: 10,
  });
}

/** Another encoder: that of an example of its plug-in, with places for the texts here. */
function exampleOf(form: string) {
  const example = encoders.flatMap(({ examples }) => examples[form] ?? [])[0]!;
  return makeEncoder({ ...example, max_position_embeddings: 26 });
}

/**
 * Weights large enough that every part of the encoder shows in its vectors.
 * @param kind small BERT or T5, or the name of an encoder's example
 */
export async function madeExport(
  name: string,
  kind: string,
  {
    tied = true,
    options = {},
    similarity,
  }: { tied?: boolean; options?: ArchitectureOptions; similarity?: 'cosine' } = {},
): Promise<TrainedRetriever> {
  const encoder = kind === 'bert' || kind === 't5' ? encoderOf(kind) : exampleOf(kind);
  const loaded = await loadArchitecture(name);
  const text = { maxQueryTokens: 9, maxPassageTokens: 20, pairTruncation: 'longest-first' as const };
  const shape = { ...encoder.shape, maxTokens: text.maxPassageTokens };
  const resolved = loaded.family.resolve(options, shape, loaded.pooling?.shortName);
  const compared = { ...resolved, ...(similarity && { similarity }) };
  const retriever = new Retriever(encoder, tied, { ...loaded, resolved: compared });
  const weights = retriever.parameters.map((parameter, i) => {
    const random = stream(3, 'weights', i);
    return Float32Array.from({ length: sizeOf(parameter.shape) }, () => random.normal() / 2);
  });
  const facts = {
    architecture: name,
    resolved: compared,
    tied,
    model: 'made',
    t5LayerNorm: 'last' as const,
    text,
  };
  return { key: 'made-up-key', facts, retriever, weights, tokenizer: madeTokenizer };
}
