/**
 * From a text to token ids: added tokens, normalizer, pre-tokenizer, model. The models are those of @huggingface/tokenizers; what
 * comes before is ours, because the library differs from the fast tokenizers there (character maps, sigma, words of one token).
 */
import { BenchError } from '../errors.js';
import { AddedTokens } from './added-tokens.js';
import { tooSlow, underWatch } from './guarded-pattern.js';
import { type Normalize, normalizerOf } from './normalizer.js';
import { preTokenizerOf } from './pre-tokenizer.js';
import type { TokenizerJson } from './tokenizer-file.js';

/** What is used of the library's Tokenizer. */
interface Library {
  Tokenizer: new (
    json: object,
    config: object,
  ) => { encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] } };
}

/** Ids of a text, without special tokens around it. */
export type EncodeText = (text: string) => number[];

/** Letters that a normalizer may make of one, and of none: NFKC makes 18 of one, files of a few lines could make millions. */
const mostGrowth = 64;

/** Letters of a word that the model takes: it hands a word's tokens on as arguments of one call, which has room for no more. */
const longestWord = 100_000;

/**
 * @throws Error that says what cannot be used; what it gives back throws an Error too, for a text that the files give no ids, and
 *   BenchError DATA_INVALID for a word that is too long
 */
export async function textEncoderOf(json: TokenizerJson): Promise<EncodeText> {
  const { Tokenizer } = (await import('@huggingface/tokenizers')) as unknown as Library;
  const normalize = bounded(normalizerOf(json.normalizer));
  const preTokenize = preTokenizerOf(json.pre_tokenizer);
  const model = new Tokenizer(
    {
      ...json,
      // Of added tokens it would make entries of the model's vocabulary.
      added_tokens: [],
      normalizer: null,
      post_processor: null,
      pre_tokenizer: preTokenize === undefined ? json.pre_tokenizer : null,
      // Nothing is made a text again.
      decoder: null,
    },
    {},
  );
  const encode = (text: string) => model.encode(text, { add_special_tokens: false }).ids;
  // What is left to the library may be a pattern of the file.
  const hasPattern = preTokenize === undefined && JSON.stringify(json.pre_tokenizer).includes('"Regex"');
  const whose = "A pattern of the tokenizer's pre_tokenizer";
  const modelIds = hasPattern
    ? (text: string) =>
        underWatch(
          () => encode(text),
          () => tooSlow(whose, text, 'CHECKPOINT_INVALID'),
        )
    : encode;
  const addModelIds = (text: string, ids: number[]) => {
    if (preTokenize !== undefined && text.length > longestWord) throw tooLong(text);
    for (const id of modelIds(text)) {
      if (!Number.isInteger(id))
        throw new Error(`it has no id for '${start(text)}', and none for what is unknown`);
      ids.push(id);
    }
  };
  const { added_tokens: added } = json;
  const asTheyStand = new AddedTokens(
    added.flatMap((each) => (each.normalized ? [] : [[each.content, each]])),
  );
  const normalized = new AddedTokens(
    added.flatMap((each) => (each.normalized ? [[normalize(each.content), each]] : [])),
  );
  return (text) => {
    const ids: number[] = [];
    for (const section of asTheyStand.split(text)) {
      if (typeof section === 'number') {
        ids.push(section);
        continue;
      }
      for (const part of normalized.split(normalize(section.text))) {
        if (typeof part === 'number') ids.push(part);
        else if (preTokenize === undefined) addModelIds(part.text, ids);
        else {
          const isFirst = section.start === 0 && part.start === 0;
          for (const word of preTokenize(part.text, isFirst)) addModelIds(word, ids);
        }
      }
    }
    return ids;
  };
}

function tooLong(word: string): BenchError {
  return new BenchError(
    'DATA_INVALID',
    `A word of ${word.length.toLocaleString('en-US')} letters, '${start(word)}', is too long for the tokenizer, which takes ${longestWord.toLocaleString('en-US')}.`,
    { hint: 'Shorten it, or part it by blanks, in the collection.' },
  );
}

function bounded(normalize: Normalize): Normalize {
  return (text) => {
    const done = normalize(text);
    if (done.length > mostGrowth * (text.length + 16))
      throw new Error(`its normalizer makes ${done.length} letters of ${text.length}`);
    return done;
  };
}

const start = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}...` : text);
