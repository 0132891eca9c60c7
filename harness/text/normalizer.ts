/** The normalizers of tokenizer.json, as the fast tokenizers of Hugging Face (Rust) compute them. */
import { invisible, marks } from './character-classes.js';
import { Charsmap } from './charsmap.js';
import { GuardedPattern, shownPattern } from './guarded-pattern.js';

export interface NormalizerJson {
  type: string;
  [option: string]: unknown;
}

export type Normalize = (text: string) => string;

/** @throws Error */
function textOf(value: unknown, field: string): string {
  if (typeof value === 'string') return value;
  throw new Error(`its normalizer has the ${field} ${JSON.stringify(value) ?? 'nothing'}, which is no text`);
}

/** By type. @throws Error that says what is not supported */
const makers: Readonly<Record<string, (options: NormalizerJson) => Normalize>> = {
  BertNormalizer: (options) => bertNormalizer(options),
  Precompiled: ({ precompiled_charsmap: blob }) => {
    if (blob === null || blob === undefined) return (text) => text;
    const map = Charsmap.read(textOf(blob, 'precompiled_charsmap'));
    return (text) => map.normalize(text);
  },
  Sequence: ({ normalizers }) => {
    const steps = (normalizers as NormalizerJson[]).map(normalizerOf);
    return (text) => steps.reduce((done, step) => step(done), text);
  },
  NFC: () => (text) => text.normalize('NFC'),
  NFD: () => (text) => text.normalize('NFD'),
  NFKC: () => (text) => text.normalize('NFKC'),
  NFKD: () => (text) => text.normalize('NFKD'),
  Lowercase: () => lowered,
  StripAccents: () => (text) => text.replace(/\p{M}/gu, ''),
  Strip:
    ({ strip_left: left, strip_right: right }) =>
    (text) => {
      const start = left === true ? text.replace(/^\p{White_Space}+/u, '') : text;
      return right === true ? withoutBlankEnd(start) : start;
    },
  Replace: ({ pattern, content }) => {
    const { String: literal, Regex: source } = pattern as { String?: string; Regex?: string };
    const text = textOf(content, 'content');
    const put = () => text;
    if (literal !== undefined) return (text) => text.replaceAll(literal, put);
    const whose = `The pattern ${shownPattern(source ?? '')} of the tokenizer's normalizer`;
    const sought = GuardedPattern.of(source ?? '', 'gu', whose, 'CHECKPOINT_INVALID');
    return (text) => sought.replaceAll(text, put);
  },
};

/** @throws Error for one that is not known here */
export function normalizerOf(json: NormalizerJson | null): Normalize {
  if (json === null) return (text) => text;
  const make = Object.hasOwn(makers, json.type) ? makers[json.type]! : undefined;
  if (make !== undefined) return make(json);
  throw new Error(`its normalizer is ${json.type}; supported: ${Object.keys(makers).join(', ')}`);
}

/** Step by step from the end: a pattern would go through every run of white space before it. */
function withoutBlankEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Character by character: JavaScript alone knows the ends of words, and lowers a capital sigma there to another letter. */
const lowered: Normalize = (text) => text.replaceAll('\u03a3', '\u03c3').toLowerCase();

const invisibleCharacters = new RegExp(`[${invisible}]`, 'gu');
const accents = new RegExp(`[${marks}]`, 'gu');
const whiteSpace = /\p{White_Space}/gu;
// The block of extension E begins at 2b920 there, and so here.
const ideographs =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

function bertNormalizer(options: NormalizerJson): Normalize {
  const { clean_text: clean, handle_chinese_chars: split, strip_accents: strip, lowercase } = options;
  const stripsAccents = strip ?? lowercase;
  return (text) => {
    let done = text;
    if (clean !== false) done = done.replace(invisibleCharacters, '').replace(whiteSpace, ' ');
    if (split !== false) done = done.replace(ideographs, ' $& ');
    if (stripsAccents === true) done = done.normalize('NFD').replace(accents, '');
    return lowercase === true ? lowered(done) : done;
  };
}
