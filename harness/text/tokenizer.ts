/** Texts as token ids, framed and cut as the fast tokenizers of Hugging Face do it. */
import { createHash } from 'node:crypto';
import { BenchError } from '../errors.js';
import { jsonText } from '../json.js';
import { type EncodeText, textEncoderOf } from './text-encoder.js';
import { type TokenizerConfig, tokenizerInEffect } from './tokenizer-config.js';
import {
  checkTokenizerJson,
  isWordByWord,
  largestId,
  readTemplates,
  type Template,
  type Templates,
  type TokenizerJson,
} from './tokenizer-file.js';
import { besideFaults } from './tokenizer-schema.js';

/**
 * How a passage that is too long is cut. `longest-first`: tokens come off the end of title or text, whichever is
 * longer. `joined`: title and text are one string with a separator between, cut at its end.
 */
export type PairTruncation = 'longest-first' | 'joined';

/** Two texts in one frame. */
export interface PairTokens {
  ids: Int32Array;
  /** Of each token, its segment: `Templates.pairTypes`. */
  types: Int32Array;
}

/** Words whose ids are remembered; beyond that, new words are tokenized each time. */
const rememberedWords = 500_000;

export class Tokenizer {
  /** One more than the largest id that can come out. */
  readonly vocabularySize: number;
  /** What has to be saved beside a checkpoint, by file name: tokenizer.json as it is in effect. */
  readonly files: Readonly<Record<string, string>>;
  /** The sha256 of tokenizer.json as it is in effect: all that decides the tokens of a text. */
  readonly sha256: string;
  readonly #encode: EncodeText;
  readonly #templates: Templates;
  readonly #isWordByWord: boolean;
  readonly #words = new Map<string, readonly number[]>();

  /** Use `loadTokenizer` or `makeTokenizer`; `json` is that in effect. */
  constructor(
    encode: EncodeText,
    json: TokenizerJson,
    config: Readonly<Record<string, unknown>>,
    source: string,
  ) {
    this.#encode = (text) => {
      try {
        return encode(text);
      } catch (cause) {
        throw unusable(source, cause);
      }
    };
    this.#templates = readTemplates(json, source);
    this.#isWordByWord = isWordByWord(json);
    this.vocabularySize = largestId(json, this.#templates) + 1;
    this.files = {
      'tokenizer.json': `${JSON.stringify(json)}\n`,
      'tokenizer_config.json': jsonText(config),
    };
    this.sha256 = createHash('sha256').update(this.files['tokenizer.json']!).digest('hex');
  }

  /** Ids of a text alone, without special tokens and uncut. */
  encodeText(text: string): number[] {
    if (!this.#isWordByWord) return this.#encode(text);
    const ids: number[] = [];
    for (const word of text.split(/[ \t\r\n]+/)) {
      if (word === '') continue;
      let known = this.#words.get(word);
      if (known === undefined) {
        known = this.#encode(word);
        if (this.#words.size < rememberedWords) this.#words.set(word, known);
      }
      for (const id of known) ids.push(id);
    }
    return ids;
  }

  /**
   * A query in its frame, cut at the right to `maxTokens` with the frame. The typographic apostrophe U+2019 becomes
   * a plain one, as in DPR.
   * @throws BenchError CHECKPOINT_INVALID where the frame alone is longer, DATA_INVALID for a word of 100,000 letters
   */
  encodeQuery(text: string, maxTokens: number): Int32Array {
    return this.encodeSingle(text.replaceAll('\u2019', "'"), maxTokens);
  }

  /** A text in its frame, cut at the right to `maxTokens` with the frame. @throws RangeError where the frame alone is longer */
  encodeSingle(text: string, maxTokens: number): Int32Array {
    const { single } = this.#templates;
    return frame(single, this.encodeText(text).slice(0, roomIn(single, maxTokens)), []);
  }

  /** Special tokens that stand behind a single text. */
  get tokensBehind(): number {
    const { single } = this.#templates;
    return single.length - 1 - single.indexOf('A');
  }

  /**
   * A passage in its frame: `[CLS] title [SEP] text [SEP]`, or `title </s> text </s>`. Without a title it is the text
   * alone, `[CLS] text [SEP]` or `text </s>`; an empty text leaves its place empty.
   * @throws BenchError CHECKPOINT_INVALID where the frame alone is longer, DATA_INVALID for a word of 100,000 letters
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

  /**
   * Two texts in the frame of a pair, cut by `longest_first` to `maxTokens` with the frame. One that is empty leaves its place empty.
   * @param first ids of `encodeText`
   * @throws BenchError CHECKPOINT_INVALID where the frame alone is longer
   */
  framePair(first: readonly number[], second: readonly number[], maxTokens: number): PairTokens {
    const { pair, pairTypes } = this.#templates;
    const [firstLength, secondLength] = longestFirst(first.length, second.length, roomIn(pair, maxTokens));
    const lengths = { A: firstLength, B: secondLength };
    const types = pair.flatMap((item, i) =>
      typeof item === 'number' ? pairTypes[i]! : Array<number>(lengths[item]).fill(pairTypes[i]!),
    );
    const ids = frame(pair, first.slice(0, firstLength), second.slice(0, secondLength));
    return { ids, types: Int32Array.from(types) };
  }

  /** One more than the largest segment of a pair. */
  get pairSegments(): number {
    return 1 + Math.max(...this.#templates.pairTypes);
  }
}

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
  if (maxTokens < specials) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `A text of ${maxTokens} tokens cannot hold the ${specials} special tokens that the tokenizer puts around it.`,
      {
        hint: 'Raise what cuts it (text.queryTokens, text.passageTokens, cross.maxTokens), as far as the positions of the encoder go.',
      },
    );
  }
  return maxTokens - specials;
}

function frame(template: Template, first: readonly number[], second: readonly number[]): Int32Array {
  return Int32Array.from(template.flatMap((item) => (item === 'A' ? first : item === 'B' ? second : [item])));
}

/**
 * A tokenizer from the content of its files.
 * @param config tokenizer_config.json
 * @param source names it in errors
 * @param more what other files say of it
 * @throws BenchError CHECKPOINT_INVALID where the content cannot be used
 */
export async function makeTokenizer(
  json: unknown,
  config: unknown = {},
  source = 'tokenizer.json',
  more: Omit<TokenizerConfig, 'config'> = {},
): Promise<Tokenizer> {
  try {
    const checked = checkTokenizerJson(json, source);
    const [fault] = besideFaults({ config, ...more });
    if (fault !== undefined) throw new Error(`of the files beside it, ${fault}`);
    const inEffect = tokenizerInEffect(checked, { config: config as TokenizerConfig['config'], ...more });
    const encode = await textEncoderOf(inEffect);
    return new Tokenizer(encode, inEffect, config as Record<string, unknown>, source);
  } catch (cause) {
    throw unusable(source, cause);
  }
}

function unusable(source: string, cause: unknown): BenchError {
  if (cause instanceof BenchError) return cause;
  return new BenchError(
    'CHECKPOINT_INVALID',
    `${source} is not a usable tokenizer: ${(cause as Error).message}.`,
    { cause },
  );
}

/** Every id must have its row in the embedding table. @throws BenchError CHECKPOINT_INVALID where one has not */
export function checkVocabulary(tokenizer: Tokenizer, encoder: { vocabularySize: number }): void {
  if (tokenizer.vocabularySize <= encoder.vocabularySize) return;
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `The tokenizer's largest id is ${tokenizer.vocabularySize - 1}, and the encoder's embedding table has ${encoder.vocabularySize} rows (ids 0 to ${encoder.vocabularySize - 1}).`,
    { hint: 'Put the tokenizer files that belong to these weights into the checkpoint folder.' },
  );
}
