/** A model with random weights, and a vocabulary of the collection's words. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, EncoderShape } from '../contracts.js';
import { saveEncoder } from '../model/checkpoint.js';
import type { Encoder } from '../model/encoder.js';
import { describeScratch, scratchEncoder, scratchKind } from '../model/scratch.js';
import { makeTokenizer } from '../text/tokenizer.js';
import { buildVocabulary } from '../text/vocabulary.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';

/** As many positions as BERT has. */
const maxTokens = 512;

/** What such a model is like, before there is one. */
export const scratchShape = ({ model: { scratch } }: Pick<BenchConfig, 'model'>): EncoderShape => ({
  ...{ ...scratchKind, maxTokens, layers: scratch.layers, dimensions: scratch.dimensions },
});

/** The same with its parameters; a small collection may have fewer words. */
export const scratchDescribed = ({ model: { scratch } }: Pick<BenchConfig, 'model'>): Encoder =>
  describeScratch({ ...scratch, maxTokens, dropout: 0 });

/** Leaves a folder in Hugging Face's layout. */
export function scratchModel(
  { model: { scratch: sizes } }: Pick<BenchConfig, 'model'>,
  seed: number,
  { dataset, code }: Known,
): Stage<{ vocabularySize: number }> {
  return {
    name: 'model',
    kind: 'models',
    version: 'scratch 3',
    needs: {},
    inputs: () => ({
      dataset: dataset.identity,
      ...code('model', { dataset, encoder: scratchKind.kind }),
      sizes,
      seed,
    }),
    about: { dataset: dataset.name },
    async make(folder, { dataset }) {
      const vocabulary = await buildVocabulary(textsOf(dataset), { size: sizes.vocabularySize });
      const tokenizer = await makeTokenizer(vocabulary);
      const { vocabularySize } = tokenizer;
      const made = scratchEncoder({ ...sizes, vocabularySize, maxTokens, dropout: 0 }, seed);
      await saveEncoder(folder, made.encoder, made.weights, tokenizer.files);
      return { vocabularySize };
    },
  };
}

async function* textsOf(dataset: Dataset): AsyncIterable<string> {
  for await (const { title, text } of dataset.passages()) {
    yield title;
    yield text;
  }
}
