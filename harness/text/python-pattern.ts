/**
 * Regular expressions written for Python's `regex` module, run by JavaScript. The answers of CuratedTREC are such
 * patterns; what differs between the two languages is rewritten, the rest is passed on.
 */
import { largestPattern } from './guarded-pattern.js';

const word = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;

/** Outside a character class; what is not listed keeps its meaning. */
const escapes: Readonly<Record<string, string>> = {
  A: String.raw`(?<![\s\S])`,
  Z: String.raw`(?![\s\S])`,
  b: `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`,
  B: `(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`,
  d: String.raw`\p{Nd}`,
  D: String.raw`\P{Nd}`,
  s: String.raw`\p{White_Space}`,
  S: String.raw`\P{White_Space}`,
  w: `[${word}]`,
  W: `(?:(?![${word}])[\\s\\S])`,
  a: String.raw`\x07`,
};

const classEscapes: Readonly<Record<string, string>> = {
  ...escapes,
  w: word,
  b: String.raw`\x08`,
};

const syntaxCharacter = /[\^$\\.*+?()[\]{}|/]/;
const quantifier = /^\{\d*(?:,\d*)?\}/;

/** Rewrites the escape that starts at `at`, and says how many characters it took. */
function rewriteEscape(pattern: string, at: number, inClass: boolean): [text: string, length: number] {
  const next = pattern[at + 1];
  if (next === undefined) return ['\\', 1];
  const property = /^\\[pP]\{\w+\}/.exec(pattern.slice(at))?.[0];
  if (property !== undefined) return [property, property.length];
  const known = (inClass ? classEscapes : escapes)[next];
  if (known !== undefined) return [known, 2];
  // Python allows a backslash before any punctuation mark; JavaScript only before its own syntax.
  if (/[^\p{L}\p{N}]/u.test(next) && !syntaxCharacter.test(next) && !(inClass && next === '-'))
    return [next, 2];
  return [`\\${next}`, 2];
}

function rewrite(pattern: string): string {
  let out = '';
  let inClass = false;
  for (let at = 0; at < pattern.length; ) {
    const character = pattern[at]!;
    const rest = pattern.slice(at);
    let text = character;
    let length = 1;
    if (character === '\\') [text, length] = rewriteEscape(pattern, at, inClass);
    else if (inClass) {
      if (character === ']') inClass = false;
      else if (character === '[') text = '\\[';
    } else if (character === '[') {
      inClass = true;
      // A bracket that closes at once is a literal one in Python.
      const opening = /^\[\^?\]?/.exec(rest)![0];
      length = opening.length;
      text = opening.endsWith(']') ? `${opening.slice(0, -1)}\\]` : opening;
    } else if (character === '.') text = '[^\\n]';
    else if (character === '^') text = '(?<![^\\n])';
    else if (character === '$') text = '(?![^\\n])';
    else if (character === ']' || character === '}') text = `\\${character}`;
    else if (character === '{') {
      const found = quantifier.exec(rest)?.[0];
      length = found?.length ?? 1;
      text = found?.replace('{,', '{0,') ?? '\\{';
    } else if (rest.startsWith('(?P<')) [text, length] = ['(?<', 4];
    else if (/^\(\?P=[^)]*\)/.test(rest)) {
      length = rest.indexOf(')') + 1;
      text = `\\k<${rest.slice(4, length - 1)}>`;
    }
    out += text;
    at += length;
  }
  return out;
}

/**
 * A pattern as Python's `regex.compile(pattern, IGNORECASE | UNICODE | MULTILINE)` would search it.
 * @returns undefined where JavaScript cannot run it
 */
export function pythonPattern(pattern: string): RegExp | undefined {
  try {
    const source = rewrite(pattern);
    if (source.length > largestPattern) return undefined;
    const made = new RegExp(source, 'iu');
    // V8 compiles at the first use, and says only then that a pattern is too large.
    made.test('');
    return made;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
