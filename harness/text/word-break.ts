/**
 * Words as Lucene's StandardTokenizer cuts them: the word boundaries of Unicode (UAX #29), what holds no letter or digit left
 * out, ideographs and Hiragana one by one. Emoji are left out.
 */

const other = 0;
const letter = 1;
const digit = 2;
/** Combining marks and format characters, which belong to what they follow. */
const extend = 3;
/** A word by itself. */
const single = 4;
const katakana = 5;
/** Joins letters, digits and Katakana: the underscore and its kin. */
const connector = 6;
/** Between two letters: colon, middle dot. */
const midLetter = 7;
/** Between two digits: comma, semicolon. */
const midNumber = 8;
/** Between two letters or two digits: full stop, apostrophes. */
const midBoth = 9;

const unknown = 255;
/** By UTF-16 unit, worked out when it is first met. */
const kinds = new Uint8Array(65536).fill(unknown);

const patterns: readonly (readonly [kind: number, pattern: RegExp])[] = [
  [extend, /[\p{M}\p{Cf}\u3099\u309A\uFF9E\uFF9F]/u],
  [midBoth, /[.\u2018\u2019\u2024\uFE52\uFF07\uFF0E']/u],
  [midLetter, /[:\u00B7\u0387\u055F\u05F4\u2027\uFE13\uFE55\uFF1A]/u],
  [midNumber, /[,;\u037E\u0589\u060C\u060D\u066C\u07F8\u2044\uFE10\uFE14\uFE50\uFE54\uFF0C\uFF1B]/u],
  [connector, /[\p{Pc}\u202F]/u],
  [single, /[\p{Script=Han}\p{Script=Hiragana}\p{Ideographic}]/u],
  [katakana, /[\p{Script=Katakana}\u3031-\u3035\u309B\u309C\u30A0\u30FC\uFF70]/u],
  [digit, /\p{Nd}/u],
  [letter, /[\p{Alphabetic}\p{L}]/u],
];

function kindOf(character: string): number {
  return patterns.find(([, pattern]) => pattern.test(character))?.[0] ?? other;
}

function kindAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && unit < 0xe000) return kindOf(String.fromCodePoint(text.codePointAt(at)!));
  let kind = kinds[unit]!;
  if (kind === unknown) {
    kind = kindOf(String.fromCharCode(unit));
    kinds[unit] = kind;
  }
  return kind;
}

function widthAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit < 0xdc00 && text.codePointAt(at)! > 0xffff ? 2 : 1;
}

/** Whether what stands between two parts of a word lets it go on, given what comes before and after. */
function bridges(between: number, before: number, after: number): boolean {
  if (before === letter && after === letter) return between === midLetter || between === midBoth;
  return before === digit && after === digit && (between === midNumber || between === midBoth);
}

/** Longer words are cut into pieces of this many UTF-16 units, as Lucene does. */
const longestWord = 255;

/** Calls `take` with the start and end of every word. */
export function eachWord(text: string, take: (start: number, end: number) => void): void {
  const { length } = text;
  for (let at = 0; at < length; ) {
    let kind = kindAt(text, at);
    const start = at;
    at += widthAt(text, at);
    if (kind === single) {
      while (at < length && kindAt(text, at) === extend) at += widthAt(text, at);
      take(start, at);
      continue;
    }
    if (kind !== letter && kind !== digit && kind !== katakana && kind !== connector) continue;
    let isWord = kind !== connector;
    for (;;) {
      while (at < length && kindAt(text, at) === extend) at += widthAt(text, at);
      if (at >= length) break;
      const next = kindAt(text, at);
      if (next === letter || next === digit) {
        // Katakana joins only its own kind and connectors.
        if (kind === katakana) break;
      } else if (next === katakana) {
        if (kind !== katakana && kind !== connector) break;
      } else if (next !== connector) {
        let after = at + widthAt(text, at);
        while (after < length && kindAt(text, after) === extend) after += widthAt(text, after);
        if (after >= length || !bridges(next, kind, kindAt(text, after))) break;
        kind = kindAt(text, after);
        at = after + widthAt(text, after);
        continue;
      }
      kind = next;
      isWord ||= next !== connector;
      at += widthAt(text, at);
    }
    if (!isWord) continue;
    for (let from = start; from < at; from += longestWord) take(from, Math.min(at, from + longestWord));
  }
}
