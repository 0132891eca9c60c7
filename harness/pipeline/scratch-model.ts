/** A model with random weights, and a vocabulary of the collection's words, as a stage. */
import type { Dataset } from '../contracts.js';
import { saveEncoder } from '../model/checkpoint.js';
import { scratchEncoder, scratchKind } from '../model/scratch.js';
import { makeTokenizer } from '../text/tokenizer.js';
import { buildVocabulary } from '../text/vocabulary.js';
import { datasetIdentity } from './identity.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';

/** As many positions as BERT has. */
export const scratchMaxTokens = 512;

/** @returns its folder, in Hugging Face's layout */
export async function scratchModel(
  dataset: Dataset,
  { store, config }: Pick<Prepared, 'store' | 'config'>,
  seed: number,
): Promise<string> {
  const sizes = config.model.scratch;
  const code = stageCode('model', { dataset, encoder: scratchKind.kind });
  const inputs = { made: 'scratch 3', dataset: datasetIdentity(dataset), code, sizes, seed };
  const { folder } = await store.artifact(
    'models',
    inputs,
    async (target) => {
      const vocabulary = await buildVocabulary(textsOf(dataset), { size: sizes.vocabularySize });
      const tokenizer = await makeTokenizer(vocabulary);
      const vocabularySize = tokenizer.vocabularySize;
      const made = scratchEncoder(
        { ...sizes, vocabularySize, maxTokens: scratchMaxTokens, dropout: 0 },
        seed,
      );
      await saveEncoder(target, made.encoder, made.weights, tokenizer.files);
      return { vocabularySize };
    },
    { dataset: dataset.name },
  );
  return folder;
}

async function* textsOf(dataset: Dataset): AsyncIterable<string> {
  for await (const { title, text } of dataset.passages()) {
    yield title;
    yield text;
  }
}
