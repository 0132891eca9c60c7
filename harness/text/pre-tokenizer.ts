/** The pre-tokenizers of encoders, as the fast tokenizers of Hugging Face (Rust) compute them. */
import { byteLevel } from './byte-level.js';
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
