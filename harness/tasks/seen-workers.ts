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

/** Those that serve a queue beside the worker of a name. PostgreSQL shows the beginning of a long one. */
export async function othersOf(tasks: TaskQueue, name: string): Promise<SeenWorker[]> {
  const all = (await workersOf(tasks)) ?? [];
  const own = shownWorker({ at: name });
  return all.length < 2 ? [] : all.filter(({ at }) => !own.startsWith(at));
}

/** What both are told who have one name. */
export const sharedName = (pinned: string, workers: readonly SeenWorker[]): string =>
  `another worker is pinned to ${pinned} (${workers.map(({ at }) => at).join(', ')})`;

/**
 * @param own begun and not run yet
 * @returns whether the server tells; where it does not, nobody sees to it
 * @throws BenchError LOCKED where there are others
 */
export async function assertOnlyOne(
  pinned: TaskQueue & { readonly pinned: string },
  own: ReturnType<TaskQueue['worker']>,
): Promise<boolean> {
  await own.waitUntilReady();
  const all = await workersOf(pinned);
  if (all === undefined || all.length < 2) return all !== undefined;
  await own.close();
  const said = sharedName(pinned.pinned, all);
  throw new BenchError('LOCKED', `${said[0]!.toUpperCase()}${said.slice(1)}, and a name is one machine's.`, {
    hint: 'End it, or give this one another name. A machine that lost its network is seen for some minutes.',
  });
}
