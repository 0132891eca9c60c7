/** JSON that somebody else wrote, read without trust in its shape. The only place that calls JSON.parse. Imports nothing of ours. */

/**
 * Levels of lists and objects. What is read here has a dozen; the parser itself takes any number, and whoever walks or prints
 * such a value then runs out of stack.
 */
export const deepestJson = 200;

const quote = 0x22;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * The value of a JSON text, in time linear in its length.
 * @throws SyntaxError as JSON.parse does, and for a text that is nested deeper than `deepestJson`
 */
export function parseJson(text: string): unknown {
  const at = tooDeepAt(text);
  // Worded as V8 words its own, so that a reader of positions finds this one too.
  if (at >= 0) throw new SyntaxError(`Nested deeper than ${deepestJson} levels at position ${at}`);
  return JSON.parse(text);
}

/**
 * As `parseJson`, of what Python's json.dump has written: a bare NaN, Infinity or -Infinity becomes a string of that name, so that
 * whoever needs a number there refuses it by name.
 * @throws SyntaxError
 */
export function parsePythonJson(text: string): unknown {
  let quoted = '';
  let from = 0;
  for (const { 0: word, index } of text.matchAll(/"|-?Infinity|NaN/g)) {
    if (index < from) continue;
    if (word === '"') {
      const end = closingQuote(text, index + 1);
      if (end < 0) break;
      quoted += text.slice(from, end + 1);
      from = end + 1;
      continue;
    }
    quoted += `${text.slice(from, index)}"${word}"`;
    from = index + word.length;
  }
  return parseJson(quoted + text.slice(from));
}

/** Where the first level too many opens; -1 where none does. */
function tooDeepAt(text: string): number {
  if (text.length <= deepestJson || hasFewBrackets(text)) return -1;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === quote) {
      at = closingQuote(text, at + 1);
      if (at < 0) return -1;
    } else if (unit === openBrace || unit === openBracket) {
      if (++depth > deepestJson) return at;
    } else if (unit === closeBrace || unit === closeBracket) depth--;
  }
  return -1;
}

/** Fewer than there may be levels, strings included: most texts, and found faster than how deep they go. */
function hasFewBrackets(text: string): boolean {
  let left = deepestJson;
  for (const bracket of ['[', '{'])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1))
      if (--left < 0) return false;
  return true;
}

/**
 * The quote that ends a string of JSON, or of Python: one with an even number of backslashes before it. A regular expression would
 * run out of stack on a string of some MB.
 * @param from behind the quote that opens it
 * @returns -1 where the text ends first
 */
export function closingQuote(text: string, from: number, sign = '"'): number {
  for (let at = text.indexOf(sign, from); at >= 0; at = text.indexOf(sign, at + 1)) {
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === backslash) slashes++;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

/** What a table says of a word in somebody's file; undefined for what is no word, and for what the table does not have itself. */
export function entryFor<T>(table: Readonly<Record<string, T>>, word: unknown): T | undefined {
  return typeof word === 'string' && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** Indented, with a newline at the end. */
export const jsonText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
