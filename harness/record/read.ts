/** Reads run records from files and folders. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError, unreadable } from '../errors.js';
import { closingQuote, parseJson } from '../json.js';
import { jsonPath } from '../json-schema.js';
import { readPlainText } from '../store/plain-file.js';
import { type RunRecord, recordSuffix } from './run-record.js';
import { assertRecord, invalid } from './validate.js';

export interface StoredRecord {
  readonly file: string;
  readonly record: RunRecord;
}

/** Reads one record. @throws BenchError PATH_INVALID, or RECORD_INVALID with the JSON path of what is wrong */
export async function readRecord(file: string): Promise<RunRecord> {
  let text: string;
  try {
    text = await readPlainText(file);
  } catch (cause) {
    throw unread(file, cause);
  }
  return assertRecord(parse(text, file), file);
}

/**
 * Reads records from files, and from folders every `*.record.json` in them and below, sorted by name.
 * @returns each file once, in the order named
 * @throws BenchError PATH_INVALID for what is not there and for a folder without records; see readRecord
 */
export async function readRecords(targets: readonly string[]): Promise<StoredRecord[]> {
  const files = new Set<string>();
  for (const target of targets) {
    for (const file of await filesOf(target)) files.add(file);
  }
  const records: StoredRecord[] = [];
  for (const file of files) records.push({ file, record: await readRecord(file) });
  return records;
}

async function filesOf(target: string): Promise<string[]> {
  let names: string[];
  try {
    if (!(await stat(target)).isDirectory()) return [path.normalize(target)];
    names = await readdir(target, { recursive: true });
  } catch (cause) {
    throw unread(target, cause);
  }
  const found = names.filter((name) => name.endsWith(recordSuffix)).sort();
  if (found.length === 0) {
    throw new BenchError('PATH_INVALID', `There is no run record in the folder ${target}.`, {
      hint: `Run records end in ${recordSuffix}; bench run leaves them in the folder given by --out.`,
    });
  }
  return found.map((name) => path.join(target, name));
}

function unread(file: string, cause: unknown): BenchError {
  if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return unreadable(file, cause);
  return new BenchError('PATH_INVALID', `There is no file or folder ${file}.`, {
    hint: 'Name run records, or the folder that bench run left them in: results where --out was not given.',
    cause,
  });
}

function parse(text: string, file: string): unknown {
  try {
    return parseJson(text) as unknown;
  } catch (cause) {
    const notNumbers = pathsOfNotNumbers(text);
    if (notNumbers.length > 0) throw invalid(file, notNumbers);
    throw new BenchError('RECORD_INVALID', `${file} is not whole JSON: ${(cause as Error).message}.`, {
      hint: text.trimEnd().endsWith('}')
        ? 'Make the record again.'
        : 'It seems cut short: make the record again.',
      cause,
    });
  }
}

/** Where NaN and infinities stand, which some tools write and JSON does not have; empty where that is not the fault. */
function pathsOfNotNumbers(text: string): string[] {
  const mark = '\0not a number\0';
  const marked = marking(text, mark);
  const faults: string[] = [];
  const walk = (value: unknown, keys: readonly string[]): void => {
    if (typeof value === 'string' && value.startsWith(mark)) {
      faults.push(`${jsonPath(keys)} is ${value.slice(mark.length)}, which is not a number JSON can hold`);
    } else if (value !== null && typeof value === 'object') {
      for (const [key, member] of Object.entries(value)) walk(member, [...keys, key]);
    }
  };
  try {
    walk(parseJson(marked), []);
  } catch {
    return [];
  }
  return faults;
}

/** The text with each NaN and infinity as a string that begins with the mark; what stands in strings is left alone. */
function marking(text: string, mark: string): string {
  const parts = /"|-?\b(?:NaN|Infinity)\b/g;
  const pieces: string[] = [];
  let from = 0;
  for (let part = parts.exec(text); part !== null; part = parts.exec(text)) {
    if (part[0] === '"') {
      const end = closingQuote(text, part.index + 1);
      if (end < 0) break;
      parts.lastIndex = end + 1;
    } else {
      pieces.push(text.slice(from, part.index), JSON.stringify(mark + part[0]));
      from = parts.lastIndex;
    }
  }
  return pieces.join('') + text.slice(from);
}
