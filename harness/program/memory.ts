/** How much memory there is, and the error for what would take more. */
import { totalmem } from 'node:os';
import { BenchError } from '../errors.js';

/** Bytes of memory that this process may have: those of the machine, or of the container it runs in. */
export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit !== undefined && limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/**
 * Call it before the memory is taken: a system that promises more than it has ends the process later, without a word.
 * @param neededBytes the least that is needed
 * @param what needs it, for the sentence: `The weights of ...`
 * @param hint what to make smaller
 * @throws BenchError OUT_OF_MEMORY
 */
export function refuseBeyondMemory(neededBytes: number, what: string, hint: string): void {
  const there = memoryBytes();
  if (neededBytes <= there) return;
  const gibibytes = (bytes: number) =>
    `${(bytes / 2 ** 30).toLocaleString('en-US', { maximumFractionDigits: 1 })} GiB`;
  throw new BenchError(
    'OUT_OF_MEMORY',
    `${what} would take ${gibibytes(neededBytes)} of memory or more, and this machine has ${gibibytes(there)}.`,
    { hint },
  );
}
