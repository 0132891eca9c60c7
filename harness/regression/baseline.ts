/** The stored baseline: run records in one file that is small enough to be committed. */
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { assertRecord } from '../record/validate.js';
import type { StoredRecord } from '../record.js';
import { writeAtomic } from '../store/atomic.js';
import { readPlainText } from '../store/plain-file.js';

/** Raised when the file's own layout changes; the records in it have a schema version of their own. */
const baselineVersion = 1;

/**
 * @throws BenchError PATH_INVALID where it cannot be read, RECORD_INVALID where it is no baseline or holds a record
 *   that cannot be used
 */
export async function readBaseline(file: string): Promise<StoredRecord[]> {
  let text: string;
  try {
    text = await readPlainText(file);
  } catch (cause) {
    if (cause instanceof BenchError) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new BenchError(
      'PATH_INVALID',
      code === 'ENOENT'
        ? `There is no baseline ${file} yet.`
        : `The baseline ${file} cannot be read: ${message}.`,
      {
        hint: 'The same command with --update-baseline makes one from the records.',
        cause,
      },
    );
  }
  const records = recordsIn(text, file);
  return records.map((record, i) => {
    const name = `${file}, record ${i + 1}`;
    return { file: name, record: assertRecord(record, name) };
  });
}

/**
 * The records of a baseline that is to be replaced: none where there is no file, or none that can be used, which is said.
 * @throws BenchError PATH_INVALID where it is a folder, or may not be read
 */
export async function readBaselineIfAny(file: string): Promise<{ records: StoredRecord[]; note?: string }> {
  try {
    return { records: await readBaseline(file) };
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    if ((error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return { records: [] };
    if (error.code !== 'RECORD_INVALID') throw error;
    return { records: [], note: `the old baseline could not be used: ${error.message}` };
  }
}

function recordsIn(text: string, file: string): unknown[] {
  let value: { baselineVersion?: unknown; records?: unknown } | null;
  try {
    value = parseJson(text) as typeof value;
  } catch (cause) {
    throw new BenchError(
      'RECORD_INVALID',
      `The baseline ${file} is not whole JSON: ${(cause as Error).message}.`,
      {
        hint: 'Was it cut short, or left in the middle of a merge? Restore it, or make it again with --update-baseline.',
        cause,
      },
    );
  }
  if (
    value?.baselineVersion !== baselineVersion ||
    !Array.isArray(value.records) ||
    value.records.length === 0
  ) {
    throw new BenchError(
      'RECORD_INVALID',
      `${file} is no baseline of version ${baselineVersion}: baselineVersion is ${JSON.stringify(value?.baselineVersion)}.`,
      { hint: 'Make it again with --update-baseline.' },
    );
  }
  return value.records;
}

/** Writes the baseline, a line for each record, so that version control shows which of them changed. */
export async function writeBaseline(file: string, records: readonly StoredRecord[]): Promise<void> {
  const lines = records.map(({ record }) => JSON.stringify(record)).join(',\n');
  await writeAtomic(file, `{"baselineVersion":${baselineVersion},"records":[\n${lines}\n]}\n`);
}
