/** The tokenizer that lies in a checkpoint's folder. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { bertSpecials, bertTokenizerJson } from './bert-tokenizer.js';
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
  const config = await readObject(path.join(folder, 'tokenizer_config.json'));
  const specials = await readObject(path.join(folder, 'special_tokens_map.json'));
  const added = await readObject(path.join(folder, 'added_tokens.json'));
  const more = { ...(specials && { specials }), ...(added && { added }) };
  const file = path.join(folder, 'tokenizer.json');
  const json = await readJson(file);
  if (json !== undefined) return makeTokenizer(json, config ?? {}, file, more);
  if (!takesVocabulary) throw missing(folder, 'no tokenizer.json');
  const vocabulary = path.join(folder, 'vocab.txt');
  const tokens = (await readText(vocabulary))?.split(/\r?\n/);
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

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new BenchError('CHECKPOINT_INVALID', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

async function readObject(file: string): Promise<Record<string, unknown> | undefined> {
  const value = await readJson(file);
  if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value)))
    return value as Record<string, unknown> | undefined;
  throw new BenchError('CHECKPOINT_INVALID', `${file} does not hold a JSON object.`);
}

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  try {
    return parseJson(text);
  } catch (cause) {
    throw new BenchError('CHECKPOINT_INVALID', `${file} is not JSON: ${(cause as Error).message}`, {
      hint: 'Copy or download it again.',
      cause,
    });
  }
}
