/** Owners of what lies in a store, other than this process, on this machine. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ownerText } from '../harness/store/owner.js';

/** Of a process by its number. */
export const ownerOf = (pid: number): string =>
  ownerText().replace(/^\d+-(.*)-(?:\d+|x)-(\d+)$/, `${pid}-$1-${startOf(pid)}-$2`);

/** Of a process that has ended. */
export const ownerThatEnded = (): string => ownerOf(spawnSync(process.execPath, ['-e', '']).pid);

function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19]!;
  } catch {
    return 'x';
  }
}
