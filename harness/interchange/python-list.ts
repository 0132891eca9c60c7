/** The list of strings that DPR's question files hold in their second column, as Python prints it. */
import { closingQuote } from '../json.js';

/** What stands behind a backslash, for what is not a number. */
const escapes: Readonly<Record<string, string>> = {
  "'": "'",
  '"': '"',
  '\\': '\\',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\n': '',
};

/** Without groups: what they held would be kept for every match until the last is found. */
const escapeSequence = /\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|[\s\S])/g;
const blank = /[ \t\r\n]/;

/** Why a text is not a list of strings, and where. */
export class PythonListError extends Error {
  readonly position: number;

  constructor(message: string, position: number) {
    super(message);
    this.name = 'PythonListError';
    this.position = position;
  }
}

/** What a backslash and what stands behind it are together; undefined where there is no such character. */
function unescaped(behind: string): string | undefined {
  const plain = escapes[behind];
  if (plain !== undefined) return plain;
  const [, hex, octal = ''] = /^[xuU](.+)|^([0-7]+)/.exec(behind) ?? [];
  const code = hex === undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex, 16);
  // Python keeps a backslash before anything else.
  if (Number.isNaN(code)) return `\\${behind}`;
  return code > 0x10ffff ? undefined : String.fromCodePoint(code);
}

/**
 * The strings of a Python list literal: `["Wilhelm Conrad Röntgen", 'it\'s']`. Takes what Python's own repr writes and
 * what a hand writes: either quote, escapes, strings side by side (they become one), a comma after the last.
 * @throws PythonListError for anything else; nothing is evaluated
 */
export function parsePythonStrings(text: string): string[] {
  let at = 0;
  const fail = (what: string): never => {
    throw new PythonListError(what, at);
  };
  const skip = () => {
    while (at < text.length && blank.test(text[at]!)) at++;
  };

  const string = (): string => {
    const quote = text[at++]!;
    const from = at;
    const end = closingQuote(text, from, quote);
    const written = text.slice(from, end < 0 ? undefined : end);
    // Replaced in one go: a string put together from millions of pieces is gone through by every collection of garbage.
    const value = written.replace(escapeSequence, (found: string, offset: number) => {
      at = from + offset + 1;
      const behind = found.slice(1);
      return unescaped(behind) ?? fail(`there is no character ${behind}`);
    });
    at = from + written.length;
    if (end < 0) return fail('a string is not closed');
    at++;
    return value;
  };

  skip();
  if (text[at] !== '[') fail(at < text.length ? `it begins with ${text[at]} and not with [` : 'it is empty');
  at++;
  const strings: string[] = [];
  for (;;) {
    skip();
    if (text[at] === ']') break;
    if (text[at] !== '"' && text[at] !== "'")
      fail(at < text.length ? `a string is expected before ${text[at]}` : 'it is not closed with ]');
    let value = string();
    for (skip(); text[at] === '"' || text[at] === "'"; skip()) value += string();
    strings.push(value);
    if (text[at] === ',') at++;
    else if (text[at] !== ']')
      fail(at < text.length ? `a comma is expected before ${text[at]}` : 'it is not closed with ]');
  }
  at++;
  skip();
  if (at < text.length) fail(`something follows the list: ${text.slice(at, at + 10)}`);
  return strings;
}
