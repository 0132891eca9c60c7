/** What tells one state of a file from another without reading it. */
import { stat } from 'node:fs/promises';

export interface FileState {
  sizeBytes: number;
  mtimeMs: number;
  /** When the file was last changed in any way. Unlike `mtimeMs` nobody can set it back, as editors and `touch -d` do. */
  ctimeMs: number;
}

export async function stateOf(file: string): Promise<FileState> {
  const { size, mtimeMs, ctimeMs } = await stat(file);
  return { sizeBytes: size, mtimeMs, ctimeMs };
}

export function isSameState(a: FileState, b: FileState): boolean {
  return a.sizeBytes === b.sizeBytes && a.mtimeMs === b.mtimeMs && a.ctimeMs === b.ctimeMs;
}

/** Of a file that was touched so shortly before it was looked at, the next look may see the same times and other bytes. */
const clockTickMs = 20;
const worthWaitingBytes = 2 ** 25;

/**
 * The state of a file, and whether other bytes would show in it. Waits for a large file to be settled, which takes less than to hash it
 * once more.
 */
export async function settledState(file: string): Promise<{ state: FileState; isSettled: boolean }> {
  for (;;) {
    const state = await stateOf(file);
    const ageMs = Date.now() - Math.max(state.mtimeMs, state.ctimeMs);
    // Clocks of other machines may be ahead.
    const isSettled = ageMs < 0 || ageMs > clockTickMs;
    if (isSettled || state.sizeBytes < worthWaitingBytes)
      return { state, isSettled: isSettled && ageMs >= 0 };
    await new Promise((resolve) => setTimeout(resolve, clockTickMs));
  }
}
