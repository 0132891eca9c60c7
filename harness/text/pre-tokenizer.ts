/** The pre-tokenizers of encoders, as the fast tokenizers of Hugging Face (Rust) compute them. */
import { punctuation } from './character-classes.js';

export interface PreTokenizerJson {
  type: string;
  pretokenizers?: readonly PreTokenizerJson[];
  replacement?: string;
  /** Older files say this, and nothing of a scheme. */
  add_prefix_space?: boolean;
  prepend_scheme?: string;
  split?: boolean;
  use_regex?: boolean;
}

/** @param isFirst whether the text before begins the whole text */
export type PreTokenize = (text: string, isFirst: boolean) => string[];

const bertWords = new RegExp(`[^\\p{White_Space}${punctuation}]+|[${punctuation}]`, 'gu');
const solid = /\P{White_Space}+/gu;

/** Undefined for kinds that are left to the library. */
export function preTokenizerOf(json: PreTokenizerJson | null): PreTokenize | undefined {
  if (json === null) return (text) => [text];
  if (json.type === 'BertPreTokenizer') return (text) => text.match(bertWords) ?? [];
  if (json.type === 'WhitespaceSplit') return (text) => text.match(solid) ?? [];
  if (json.type === 'Metaspace') return metaspace(json);
  if (json.type === 'ByteLevel') return byteLevel(json.add_prefix_space !== false, json.use_regex !== false);
  if (json.type !== 'Sequence') return undefined;
  const steps = (json.pretokenizers ?? []).map(preTokenizerOf);
  if (!steps.every((step) => step !== undefined)) return undefined;
  return (text, isFirst) =>
    steps.reduce<string[]>(
      (words, step) => words.flatMap((word, i) => step(word, isFirst && i === 0 && text.startsWith(word))),
      [text],
    );
}

/** Blanks become a mark, which words begin with. */
function metaspace({ replacement = '\u2581', split, ...json }: PreTokenizerJson): PreTokenize {
  const scheme = json.prepend_scheme ?? (json.add_prefix_space === false ? 'never' : 'always');
  return (text, isFirst) => {
    const marked = text.replaceAll(' ', replacement);
    const prepends = scheme === 'always' || (scheme === 'first' && isFirst);
    const whole = prepends && !marked.startsWith(replacement) ? replacement + marked : marked;
    if (split === false) return [whole];
    // Each mark goes with what follows it.
    const words: string[] = [];
    for (let at = 0; at < whole.length; ) {
      const next = whole.indexOf(replacement, at + 1);
      words.push(whole.slice(at, next < 0 ? undefined : next));
      at = next < 0 ? whole.length : next;
    }
    return words;
  };
}

/** As in GPT-2; a blank goes with the word behind it. White space is Unicode's, of which JavaScript's \s is another. */
const words =
  /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** A letter for each byte: those that can be seen are their own, the others are counted from U+0100. */
const letters: readonly string[] = (() => {
  const isSeen = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : next++));
})();

/**
 * @param prefixes whether a blank is put before a text that does not begin with one
 * @param splits whether the pattern cuts words; else the text is one
 */
export function byteLevel(prefixes: boolean, splits: boolean): (text: string) => string[] {
  return (text) => {
    const whole = prefixes && !text.startsWith(' ') ? ` ${text}` : text;
    return (splits ? (whole.match(words) ?? []) : [whole]).map(spelled);
  };
}

function spelled(word: string): string {
  let done = '';
  for (const byte of Buffer.from(word, 'utf8')) done += letters[byte]!;
  return done;
}
