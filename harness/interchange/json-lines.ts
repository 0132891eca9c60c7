/** Files of one JSON object a line, and files of lines as they are. */
import { BenchError, type ErrorCode } from '../errors.js';
import { turns } from '../interruption.js';
import { parseJson } from '../json.js';
import { type TextStart, textBlocks } from './text-blocks.js';
import { writtenNumber } from './written-number.js';

export interface TextLine {
  text: string;
  /** From 1. */
  line: number;
  /** Where reading can begin with this line; absent of most. */
  start?: TextStart | undefined;
}

/**
 * The lines of a file, plain or gzip, without LF or CRLF; memory is that of the longest line.
 * @param from as `textBlocks` has it
 */
export async function* textLines(file: string, code: ErrorCode, from?: TextStart): AsyncGenerator<TextLine> {
  const turn = turns();
  for await (const { text, firstLine, firstByte } of textBlocks(file, code, from)) {
    let line = firstLine;
    for (let at = 0; at < text.length; line++) {
      const end = text.indexOf('\n', at);
      const stop = end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
      const start = at === 0 && firstByte !== undefined ? { byte: firstByte, line } : undefined;
      yield { text: text.slice(at, stop), line, start };
      at = end + 1;
      const due = turn();
      if (due !== undefined) await due;
    }
  }
}

export interface JsonLine {
  value: Readonly<Record<string, unknown>>;
  line: number;
  /** As it stands in the file. */
  text: string;
  start?: TextStart | undefined;
}

/**
 * The objects of a file, one a line; empty lines are skipped.
 * @param from as `textBlocks` has it
 * @throws BenchError PATH_INVALID; `code` with the line number where one is no JSON object
 */
export async function* jsonLines(file: string, code: ErrorCode, from?: TextStart): AsyncGenerator<JsonLine> {
  for await (const { text, line, start } of textLines(file, code, from)) {
    if (text.trim() === '') continue;
    let value: unknown;
    try {
      value = parseJson(text);
    } catch (cause) {
      throw new BenchError(code, `${file}, line ${line}: not JSON: ${(cause as Error).message}.`, {
        hint: 'Every line is one whole JSON object. Was the file cut short?',
        cause,
      });
    }
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw new BenchError(code, `${file}, line ${line}: ${text.slice(0, 40)} is no JSON object.`);
    }
    yield { value: value as Readonly<Record<string, unknown>>, line, text, start };
  }
}

/**
 * A member that has to be a string.
 * @param missing taken where the member is absent or null
 * @throws BenchError `code`: what it is instead
 */
export function stringMember(
  { value, line, text }: JsonLine,
  name: string,
  file: string,
  code: ErrorCode,
  missing?: string,
): string {
  const member = value[name];
  if (typeof member === 'string') return member;
  if ((member === undefined || member === null) && missing !== undefined) return missing;
  // Beyond 2^53 the number that was read is another one than the file has.
  const inFile = typeof member === 'number' ? writtenNumber(text, name, member) : JSON.stringify(member);
  const seen = member === undefined ? 'missing' : inFile.slice(0, 40);
  throw new BenchError(code, `${file}, line ${line}: ${name} is ${seen}, and a string is needed.`, {
    hint:
      typeof member === 'number'
        ? `Write it in quotes: "${name}": "${inFile}". A number may not be what the other files call it.`
        : `Every line has the members that its format names, ${name} among them.`,
  });
}
