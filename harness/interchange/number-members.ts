/** Objects of JSON with nothing but numbers, read as they stand: JSON.parse makes an object of a million names far more slowly. */
import { closingQuote, parseJson } from '../json.js';
import { firstRepeated } from './identifier-hashes.js';

/** Names in the order of the text, and the number of each. */
export interface NumberMembers {
  names: string[];
  numbers: number[];
}

/**
 * The members of `{ name: number }`, in time linear in the text.
 * @param onRepeated is told of a name that comes again, of which JSON.parse keeps the last without a word
 * @returns undefined for all else, broken JSON and numbers beyond the largest among it: JSON.parse tells what that is
 */
export function numberMembers(text: string, onRepeated: (name: string) => never): NumberMembers | undefined {
  const members: NumberMembers = { names: [], numbers: [] };
  const isWhole = readMembers(text, members);
  const repeated = firstRepeated(members.names);
  if (repeated !== undefined) onRepeated(repeated);
  return isWhole ? members : undefined;
}

/** Up to the end, or to what is none of it. @returns whether the text is nothing but members */
function readMembers(text: string, { names, numbers }: NumberMembers): boolean {
  let at = behind(text, '{', behindBlank(text, 0));
  if (at >= 0 && text[at] === '}') return isEnd(text, at);
  while (at >= 0 && text[at] === '"') {
    const closing = closingQuote(text, at + 1);
    if (closing < 0) return false;
    const name = stringOf(text.slice(at, closing + 1));
    if (name === undefined) return false;
    names.push(name);
    const start = behind(text, ':', behindBlank(text, closing + 1));
    if (start < 0) return false;
    const end = behindNumber(text, start);
    const value = parsed(text.slice(start, end));
    if (typeof value !== 'number' || !Number.isFinite(value)) return false;
    numbers.push(value);
    at = behindBlank(text, end);
    if (text[at] === '}') return isEnd(text, at);
    at = behind(text, ',', at);
  }
  return false;
}

const isEnd = (text: string, at: number) => behindBlank(text, at + 1) === text.length;

/** Where what follows a sign begins, white space passed over; -1 where the sign is not there. */
function behind(text: string, sign: string, at: number): number {
  return text[at] === sign ? behindBlank(text, at + 1) : -1;
}

function behindBlank(text: string, from: number): number {
  let at = from;
  for (let unit = text.charCodeAt(at); isBlank(unit); unit = text.charCodeAt(at)) at++;
  return at;
}

const isBlank = (unit: number) => unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09;

/** Digits, sign, point and exponent, in any order: whether they are a number the parser says. */
function behindNumber(text: string, from: number): number {
  let at = from;
  for (let unit = text.charCodeAt(at); mayBeInNumber(unit); unit = text.charCodeAt(at)) at++;
  return at;
}

const mayBeInNumber = (unit: number) =>
  (unit >= 0x30 && unit <= 0x39) || unit === 0x2e || unit === 0x2d || unit === 0x2b || (unit | 0x20) === 0x65;

/** @param literal with its quotes */
function stringOf(literal: string): string | undefined {
  for (let at = 0; at < literal.length; at++) {
    const unit = literal.charCodeAt(at);
    if (unit === 0x5c || unit < 0x20) return parsed(literal) as string | undefined;
  }
  return literal.slice(1, -1);
}

function parsed(literal: string): unknown {
  try {
    return parseJson(literal);
  } catch {
    return undefined;
  }
}
