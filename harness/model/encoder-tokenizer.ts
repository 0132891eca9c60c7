/** The tokenizer that lies beside an encoder's weights. */
import { checkVocabulary, type Tokenizer } from '../text/tokenizer.js';
import { loadTokenizer } from '../text/tokenizer-folder.js';
import type { Encoder } from './encoder.js';
import { encoderNamed } from './known-encoders.js';

/**
 * @param folder of the encoder
 * @throws BenchError CHECKPOINT_INVALID where there is none that can be read, or one of more tokens than the encoder has
 */
export async function encoderTokenizer(
  folder: string,
  encoder: Pick<Encoder, 'shape' | 'vocabularySize'>,
): Promise<Tokenizer> {
  const { takesVocabulary } = encoderNamed(encoder.shape.kind);
  const tokenizer = await loadTokenizer(folder, takesVocabulary);
  checkVocabulary(tokenizer, encoder);
  return tokenizer;
}
