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
