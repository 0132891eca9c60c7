/**
 * JSON files that are one large array (DPR's training files unpack to 10 GB) or one large object (BEIR's results), read one
 * element or member at a time.
 */
import { isUtf8 } from 'node:buffer';
import { BenchError, type ErrorCode } from '../errors.js';
import { turns } from '../interruption.js';
import { closingQuote, parseJson } from '../json.js';
import { JsonCutter } from './json-cutter.js';
import { beginningOf, fileBytes } from './text-blocks.js';

export interface ArrayElement {
  value: unknown;
  /** As it stands in the file. */
  text: string;
  /** From 0. */
  index: number;
  /** Line on which it begins, from 1. */
  line: number;
}

export interface ObjectMember<T> extends ArrayElement {
  name: string;
  value: T;
}

/**
 * The elements of the array, plain or gzip. Memory is that of the largest element, and every byte is looked at once.
 * @throws BenchError PATH_INVALID; `code` with element and line for what is no array, is cut short, is no JSON, or has an
 *   element of more than 64 MiB
 */
export function jsonArray(file: string, code: ErrorCode): AsyncGenerator<ArrayElement> {
  return parts(file, code, 'array', (text) => ({ value: parseJson(text) }));
}

/**
 * The members of the object likewise, one by one: a name that comes again comes again here.
 * @param read takes the text of a value; what it throws that is no BenchError means that the text is no JSON
 */
export function jsonMembers<T>(
  file: string,
  code: ErrorCode,
  read: (text: string, name: string) => T,
): AsyncGenerator<ObjectMember<T>> {
  return parts(file, code, 'object', (text) => memberOf(text, read));
}

async function* parts<T extends { value: unknown }>(
  file: string,
  code: ErrorCode,
  kind: 'array' | 'object',
  parsed: (text: string) => T,
): AsyncGenerator<T & ArrayElement> {
  const cutter = new JsonCutter(file, code, kind);
  const turn = turns();
  for await (const chunk of fileBytes(file, code)) {
    cutter.add(chunk);
    for (let part = cutter.next(); part !== undefined; part = cutter.next()) {
      const { bytes, ...place } = part;
      if (!isUtf8(bytes)) throw cutter.fault('is not valid UTF-8', place);
      const text = bytes.toString('utf8');
      let value: T;
      try {
        value = parsed(text);
      } catch (cause) {
        if (cause instanceof BenchError) throw cause;
        throw cutter.fault(`is not JSON: ${(cause as Error).message}`, place, cause);
      }
      yield { ...value, text, ...place };
      const due = turn();
      if (due !== undefined) await due;
    }
  }
  cutter.end();
}

/** Name and value apart: an object for each would be of a kind of its own, which costs more than the rest. */
function memberOf<T>(text: string, read: (text: string, name: string) => T): { name: string; value: T } {
  const end = text.startsWith('"') ? closingQuote(text, 1) + 1 : 0;
  const colon = /\s*:/y;
  colon.lastIndex = end;
  // Where it does not begin as a member does, the parser says what it is instead.
  if (end === 0 || !colon.test(text)) parseJson(`{${text}}`);
  const name = parseJson(text.slice(0, end)) as string;
  return { name, value: read(text.slice(colon.lastIndex), name) };
}

/** Whether a file begins as such an array does. @throws BenchError PATH_INVALID; `code` for a damaged gzip file */
export async function beginsArray(file: string, code: ErrorCode): Promise<boolean> {
  return (await beginningOf(file, code)).startsWith('[');
}
