/** Workers as the server of a queue sees them: who is connected, and who is pinned to what. */
import { BenchError } from '../errors.js';
import { isServerGone, type TaskQueue } from './queue.js';

/** A worker as a server shows it: at its place (`HOST:PID`), and pinned to a name. */
export interface SeenWorker {
  readonly at: string;
  readonly pinned?: string;
}

/** What a worker calls itself at the server: without blanks; PostgreSQL keeps 63 bytes of it and of the queue's name. */
export const shownWorker = ({ at, pinned }: SeenWorker): string =>
  `${pinned === undefined ? '' : `${pinned}@`}${at.replaceAll(' ', ':')}`;

/** Workers that are connected; undefined where the server does not tell. */
export async function workersOf({ queue }: TaskQueue): Promise<SeenWorker[] | undefined> {
  const clients = await queue.getWorkers().catch((error: unknown) => {
    if (isServerGone(error)) throw error;
    return undefined;
  });
  return clients?.map(({ rawname = '' }) => {
    const [, pinned, at = 'unnamed'] = /:w:(?:([^@]*)@)?(.*)$/.exec(rawname) ?? [];
    return { at, ...(pinned !== undefined && { pinned }) };
  });
}

/** @param own begun and not run yet @throws BenchError LOCKED where there are others */
export async function assertOnlyOne(pinned: TaskQueue, own: ReturnType<TaskQueue['worker']>): Promise<void> {
  await own.waitUntilReady();
  const all = await workersOf(pinned);
  if (all === undefined || all.length < 2) return;
  await own.close();
  throw new BenchError(
    'LOCKED',
    `Another worker is pinned to ${pinned.pinned} (${all.map(({ at }) => at).join(', ')}), and a name is one machine's.`,
    {
      hint: 'End it, or give this one another name. A machine that lost its network is seen for some minutes.',
    },
  );
}
