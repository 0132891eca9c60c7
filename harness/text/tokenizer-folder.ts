/** The tokenizer that lies in a checkpoint's folder. */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { bertSpecials, bertTokenizerJson } from './bert-tokenizer.js';
import { modelJson, modelObject, modelText } from './model-json.js';
import { makeTokenizer, type Tokenizer } from './tokenizer.js';

/** Where a vocabulary is read from: the first that is there. */
export const vocabularyFiles = ['tokenizer.json', 'vocab.txt'] as const;
/** The files that are read here, apart from the weights: what decides the tokens. */
export const tokenizerFiles = [
  ...vocabularyFiles,
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
] as const;

/**
 * The tokenizer of a checkpoint folder: tokenizer.json, or else BERT's vocab.txt, and what the files beside it say.
 * @param takesVocabulary whether vocab.txt alone says what the tokenizer is
 * @throws BenchError CHECKPOINT_INVALID where there is none, or none that can be read
 */
export async function loadTokenizer(folder: string, takesVocabulary = true): Promise<Tokenizer> {
  const config = await modelObject(path.join(folder, 'tokenizer_config.json'));
  const specials = await modelObject(path.join(folder, 'special_tokens_map.json'));
  const added = await modelObject(path.join(folder, 'added_tokens.json'));
  const more = { ...(specials && { specials }), ...(added && { added }) };
  const file = path.join(folder, 'tokenizer.json');
  const json = await modelJson(file);
  if (json !== undefined) return makeTokenizer(json, config ?? {}, file, more);
  if (!takesVocabulary) throw missing(folder, 'no tokenizer.json');
  const vocabulary = path.join(folder, 'vocab.txt');
  const tokens = (await modelText(vocabulary))?.split(/\r?\n/);
  if (tokens === undefined) throw missing(folder, 'neither tokenizer.json nor vocab.txt');
  if (tokens.at(-1) === '') tokens.pop();
  const lacking = bertSpecials.filter((token) => !tokens.includes(token));
  if (lacking.length > 0) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${vocabulary} is not a BERT vocabulary: it lacks ${lacking.join(', ')}.`,
    );
  }
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = config ?? {};
  const made = bertTokenizerJson(tokens, {
    lowercase: do_lower_case !== false,
    stripAccents: typeof strip_accents === 'boolean' ? strip_accents : null,
    splitChinese: tokenize_chinese_chars !== false,
  });
  return makeTokenizer(made, config ?? {}, vocabulary, more);
}

function missing(folder: string, what: string): BenchError {
  return new BenchError('CHECKPOINT_INVALID', `${folder} holds ${what}.`, {
    hint: 'Have transformers write it: AutoTokenizer.from_pretrained(...).save_pretrained(...).',
  });
}
