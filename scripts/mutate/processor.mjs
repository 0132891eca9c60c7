// How much processor time processes took: what else a machine does must not end a test, and a test that waits for ever takes none.
import { readdirSync, readFileSync } from 'node:fs';

/** Ticks of /proc are hundredths of a second on every Linux. */
const tickMs = 10;

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before the last bracket may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [utime, stime, cutime, cstime] = fields.slice(11, 15).map(Number);
    return {
      session: Number(fields[3]),
      ownMs: (utime + stime) * tickMs,
      childrenMs: (cutime + cstime) * tickMs,
    };
  } catch {
    return undefined;
  }
}

/** Where the system tells nothing of the kind, the clock must do. */
export const isCounted = statOf(process.pid) !== undefined;

/** Of all processes of a session that run, and of those they waited for, in milliseconds. */
export function sessionMs(session) {
  let sum = 0;
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
    if (stat?.session === session) sum += stat.ownMs + stat.childrenMs;
  }
  return sum;
}

/** Of all that this process started and that ended, in milliseconds. */
export const endedMs = () => statOf(process.pid).childrenMs;
