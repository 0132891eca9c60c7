/** Texts as token ids, framed and cut as the fast tokenizers of Hugging Face do it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { bertSpecials, bertTokenizerJson } from './bert-tokenizer.js';
import {
  checkTokenizerJson,
  isWordByWord,
  largestId,
  readTemplates,
  type Template,
  type Templates,
  type TokenizerJson,
} from './tokenizer-file.js';

/** What is used of @huggingface/tokenizers' Tokenizer. */
interface TextEncoder {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] };
}

/**
 * How a passage that is too long is cut. `longest-first`: tokens come off the end of title or text, whichever is
 * longer. `joined`: title and text are one string with a separator between, cut at its end.
 */
export type PairTruncation = 'longest-first' | 'joined';

/** Words whose ids are remembered; beyond that, new words are tokenized each time. */
const rememberedWords = 500_000;

export class Tokenizer {
  /** One more than the largest id that can come out. */
  readonly vocabularySize: number;
  /** What has to be saved beside a checkpoint, by file name. */
  readonly files: Readonly<Record<string, string>>;
  readonly #encoder: TextEncoder;
  readonly #templates: Templates;
  readonly #isWordByWord: boolean;
  readonly #isChineseSplit: boolean;
  readonly #words = new Map<string, readonly number[]>();

  /** Use `loadTokenizer` or `makeTokenizer`. */
  constructor(
    encoder: TextEncoder,
    json: TokenizerJson,
    config: Readonly<Record<string, unknown>>,
    source: string,
  ) {
    this.#encoder = encoder;
    this.#templates = readTemplates(json, source);
    this.#isWordByWord = isWordByWord(json);
    this.#isChineseSplit =
      json.normalizer?.type === 'BertNormalizer' && json.normalizer.handle_chinese_chars !== false;
    this.vocabularySize = largestId(json) + 1;
    this.files = {
      'tokenizer.json': `${JSON.stringify(json)}\n`,
      'tokenizer_config.json': `${JSON.stringify(config, null, 2)}\n`,
    };
  }

  /** Ids of a text alone, without special tokens and uncut. */
  encodeText(text: string): number[] {
    if (!this.#isWordByWord) return this.#encodeWhole(text);
    const ids: number[] = [];
    for (const word of text.split(/[ \t\r\n]+/)) {
      if (word === '') continue;
      let known = this.#words.get(word);
      if (known === undefined) {
        known = this.#encodeWhole(word);
        if (this.#words.size < rememberedWords) this.#words.set(word, known);
      }
      for (const id of known) ids.push(id);
    }
    return ids;
  }

  /**
   * A query in its frame, cut at the right to `maxTokens` with the frame. The typographic apostrophe U+2019 becomes
   * a plain one, as in DPR.
   * @throws RangeError where the frame alone is longer
   */
  encodeQuery(text: string, maxTokens: number): Int32Array {
    const { single } = this.#templates;
    const ids = this.encodeText(text.replaceAll('\u2019', "'"));
    return frame(single, ids.slice(0, roomIn(single, maxTokens)), []);
  }

  /**
   * A passage in its frame: `[CLS] title [SEP] text [SEP]`, or `title </s> text </s>`. Without a title it is the text
   * alone, `[CLS] text [SEP]` or `text </s>`; an empty text leaves its place empty.
   * @throws RangeError where the frame alone is longer
   */
  encodePassage(
    title: string,
    text: string,
    maxTokens: number,
    pairTruncation: PairTruncation = 'longest-first',
  ): Int32Array {
    const { single, pair } = this.#templates;
    const first = this.encodeText(title);
    const second = this.encodeText(text);
    if (first.length === 0) return frame(single, second.slice(0, roomIn(single, maxTokens)), []);
    if (pairTruncation === 'joined') {
      const separators = single.slice(single.indexOf('A') + 1) as readonly number[];
      const joined = [...first, ...separators, ...second];
      return frame(single, joined.slice(0, roomIn(single, maxTokens)), []);
    }
    const [firstLength, secondLength] = longestFirst(first.length, second.length, roomIn(pair, maxTokens));
    return frame(pair, first.slice(0, firstLength), second.slice(0, secondLength));
  }

  #encodeWhole(text: string): number[] {
    // The library sees UTF-16 units and misses the ideographs beyond the first plane, which BERT sets apart as well.
    const spaced = this.#isChineseSplit ? text.replace(rareIdeographs, ' $& ') : text;
    return this.#encoder.encode(spaced, { add_special_tokens: false }).ids;
  }
}

const rareIdeographs = /[\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

/**
 * The lengths that two texts are cut to, as in the truncation `longest_first` of Hugging Face's tokenizers library.
 * @param room tokens for both
 */
export function longestFirst(first: number, second: number, room: number): [number, number] {
  if (first + second <= room) return [first, second];
  const shorter = Math.min(first, second);
  const half = Math.floor(room / 2);
  // The shorter stays whole where it takes at most half; else both get half, the longer one an odd token more.
  const [small, large] = shorter <= half ? [shorter, room - shorter] : [half, room - half];
  return first > second ? [large, small] : [small, large];
}

/** Tokens that a frame leaves for texts. */
function roomIn(template: Template, maxTokens: number): number {
  const specials = template.filter((item) => typeof item === 'number').length;
  if (maxTokens < specials)
    throw new RangeError(`${maxTokens} tokens cannot hold ${specials} special tokens`);
  return maxTokens - specials;
}

function frame(template: Template, first: readonly number[], second: readonly number[]): Int32Array {
  return Int32Array.from(template.flatMap((item) => (item === 'A' ? first : item === 'B' ? second : [item])));
}

/**
 * The tokenizer of a checkpoint folder: tokenizer.json, or else BERT's vocab.txt.
 * @throws BenchError CHECKPOINT_INVALID where there is none, or none that can be read
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const config = await readJson(path.join(folder, 'tokenizer_config.json'));
  const file = path.join(folder, 'tokenizer.json');
  const json = await readJson(file);
  if (json !== undefined) return makeTokenizer(json, config ?? {}, file);
  const vocabulary = path.join(folder, 'vocab.txt');
  const tokens = (await readText(vocabulary))?.split(/\r?\n/);
  if (tokens === undefined) {
    throw new BenchError('CHECKPOINT_INVALID', `${folder} holds neither tokenizer.json nor vocab.txt.`, {
      hint: 'Have transformers write it: AutoTokenizer.from_pretrained(...).save_pretrained(...).',
    });
  }
  if (tokens.at(-1) === '') tokens.pop();
  const missing = bertSpecials.filter((token) => !tokens.includes(token));
  if (missing.length > 0) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${vocabulary} is not a BERT vocabulary: it lacks ${missing.join(', ')}.`,
    );
  }
  const { do_lower_case, strip_accents, tokenize_chinese_chars } = (config ?? {}) as Record<string, unknown>;
  const made = bertTokenizerJson(tokens, {
    lowercase: do_lower_case !== false,
    stripAccents: typeof strip_accents === 'boolean' ? strip_accents : null,
    splitChinese: tokenize_chinese_chars !== false,
  });
  return makeTokenizer(made, config ?? {}, vocabulary);
}

/**
 * A tokenizer from the content of its files.
 * @param source names it in errors
 * @throws BenchError CHECKPOINT_INVALID where the content cannot be used
 */
export async function makeTokenizer(
  json: unknown,
  config: unknown = {},
  source = 'tokenizer.json',
): Promise<Tokenizer> {
  const checked = checkTokenizerJson(json, source);
  const { Tokenizer: Library } = await import('@huggingface/tokenizers');
  let encoder: TextEncoder;
  try {
    encoder = new Library(checked, config as object);
  } catch (cause) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${source} is not a usable tokenizer: ${(cause as Error).message}.`,
      { cause },
    );
  }
  return new Tokenizer(encoder, checked, config as Record<string, unknown>, source);
}

/**
 * Every id must have its row in the embedding table.
 * @throws BenchError CHECKPOINT_INVALID where one has not
 */
export function checkVocabulary(tokenizer: Tokenizer, encoder: { vocabularySize: number }): void {
  if (tokenizer.vocabularySize <= encoder.vocabularySize) return;
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `The tokenizer's largest id is ${tokenizer.vocabularySize - 1}, and the encoder's embedding table has ${encoder.vocabularySize} rows (ids 0 to ${encoder.vocabularySize - 1}).`,
    { hint: 'Put the tokenizer files that belong to these weights into the checkpoint folder.' },
  );
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

async function readJson(file: string): Promise<unknown> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BenchError('CHECKPOINT_INVALID', `${file} is not JSON: ${(cause as Error).message}`, {
      hint: 'Copy or download it again.',
      cause,
    });
  }
}
