/** Writes run records. */
import { writeJson } from '../store/atomic.js';
import type { RunRecord } from './run-record.js';
import { assertRecord } from './validate.js';

/**
 * Writes a record, whole or not at all. It is validated first, so that no file is left that could not be read.
 * @throws BenchError RECORD_INVALID with every fault and its JSON path; NaN is a fault, DISK_FULL, NOT_WRITABLE
 */
export async function writeRecord(file: string, record: RunRecord): Promise<void> {
  await writeJson(file, assertRecord(record, file));
}
