/** The list of strings that DPR's question files hold in their second column, as Python prints it. */

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

const numbered = /x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})/y;
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

  const escaped = (): string => {
    const next = text[at];
    if (next === undefined) return fail('a string is not closed');
    const plain = escapes[next];
    if (plain !== undefined) {
      at++;
      return plain;
    }
    numbered.lastIndex = at;
    const found = numbered.exec(text);
    // Python keeps a backslash before anything else.
    if (found === null) return '\\';
    const code =
      found[4] === undefined
        ? Number.parseInt(found[1] ?? found[2] ?? found[3]!, 16)
        : Number.parseInt(found[4], 8);
    if (code > 0x10ffff) return fail(`there is no character ${found[0]}`);
    at += found[0].length;
    return String.fromCodePoint(code);
  };

  const string = (): string => {
    const quote = text[at++];
    const end = quote === "'" ? /['\\]/g : /["\\]/g;
    let value = '';
    for (;;) {
      // What needs no reading is taken in one piece: put together letter by letter, a long string takes longer the longer it is.
      end.lastIndex = at;
      const found = end.exec(text);
      if (found === null) {
        at = text.length;
        return fail('a string is not closed');
      }
      value += text.slice(at, found.index);
      at = found.index + 1;
      if (found[0] === quote) return value;
      value += escaped();
    }
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
