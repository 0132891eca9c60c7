/**
 * A queue of tasks on Redis or PostgreSQL, by BullMQ. It only hands tasks out: what is done stands in the store, so that an emptied
 * queue is filled again by the same command, and goes on where the work was.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type * as BullMQ from 'bullmq';
import { BenchError } from '../errors.js';
import { loadAdded } from '../program/optional-package.js';
import { shownAddress } from '../program/shown-command.js';
import type { Task } from './task.js';

/** Of every queue of bench; a store of its own, or a prefix in the address, keeps sweeps apart. Latencies of a machine have one that its worker alone serves. */
const nameOf = (pinned: string | undefined): string =>
  `bench-tasks${pinned === undefined ? '' : `-at-${pinned}`}`;

/** The longest name that servers show whole beside that of a worker. */
const namePattern = /^[\w.-]{1,24}$/;

/** @throws BenchError USAGE */
export function assertPinnedName(name: string): void {
  if (namePattern.test(name)) return;
  throw new BenchError(
    'USAGE',
    `--pinned ${name}: a machine has a name of at most 24 letters, digits, '.', '_' and '-'.`,
  );
}

/** What a worker says of a task that it is at. */
export interface Said {
  readonly worker: string;
  readonly line: string;
  /** Why those left it to others that looked at it, by their names: what they offer or are, or what keeps them. */
  readonly left?: Readonly<Record<string, string>>;
  /** Whether it is for another program or class of machines than theirs. */
  readonly isForeign?: true;
}

export type TaskJob = BullMQ.Job<Task, string, string>;

type AnyQueue = BullMQ.Queue<Task, string, string, Task, string, string>;

export interface TaskQueue {
  /** The machine whose latencies it hands out; absent where it hands out all else. */
  readonly pinned?: string;
  readonly library: typeof BullMQ;
  readonly queue: AnyQueue;
  /** Started by its `run`. */
  worker(
    process: BullMQ.Processor<Task, string, string>,
    options: Omit<BullMQ.WorkerOptions, 'connection'>,
  ): BullMQ.Worker<Task, string, string>;
  close(): Promise<unknown>;
}

/** A server that is gone does not answer: then there is nothing to be waited for. @returns whether it answered */
export async function farewell(closing: Promise<unknown>, ms = 2000): Promise<boolean> {
  const over = new AbortController();
  const late = wait(ms, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([closing.then(() => true), late]);
  } finally {
    over.abort();
  }
}

/** @throws BenchError USAGE for what is no address of a queue */
function kindOf(url: string): 'redis' | 'postgres' {
  let protocol: string;
  try {
    ({ protocol } = new URL(url));
  } catch {
    protocol = '';
  }
  if (/^rediss?:$/.test(protocol)) return 'redis';
  if (/^postgres(ql)?:$/.test(protocol)) return 'postgres';
  throw new BenchError(
    'USAGE',
    'A queue has an address such as redis://HOST:6379 or postgres://HOST/DATABASE, and this is none.',
    { hint: 'bench run --on takes such an address, or slurm.' },
  );
}

/**
 * @param pinned the machine whose latencies it hands out
 * @throws BenchError USAGE for what is no address or no name; UNAVAILABLE where it is not installed, cannot be reached, or would lose tasks
 */
export function openQueue(url: string, pinned: string): Promise<TaskQueue & { readonly pinned: string }>;
export function openQueue(url: string, pinned?: string): Promise<TaskQueue>;
export async function openQueue(url: string, pinned?: string): Promise<TaskQueue> {
  const kind = kindOf(url);
  if (pinned !== undefined) assertPinnedName(pinned);
  const library = await load('bullmq', () => import('bullmq'));
  try {
    const opened = await (kind === 'redis' ? onRedis : onPostgres)(url, nameOf(pinned), library);
    return { ...opened, ...(pinned !== undefined && { pinned }) };
  } catch (error) {
    throw asRefusal(error, url);
  }
}

const load = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  loadAdded(name, 'queues need', name, work);

async function onRedis(url: string, queueName: string, library: typeof BullMQ): Promise<TaskQueue> {
  const { Redis } = await load('ioredis', () => import('ioredis'));
  // A server that cannot be reached is said at once; one that is lost later is waited for.
  const first = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null });
  let reason: unknown;
  first.on('error', (error: unknown) => {
    reason ??= error;
  });
  try {
    await first.connect();
    const policy = /maxmemory_policy:(\S+)/.exec(await first.info('memory'))?.[1] ?? 'unknown';
    if (policy !== 'noeviction') {
      throw new BenchError(
        'UNAVAILABLE',
        `The Redis at ${shownAddress(url)} has the eviction policy ${policy}: where memory is short it would remove tasks.`,
        {
          hint: 'redis-cli config set maxmemory-policy noeviction, or maxmemory-policy in its configuration.',
        },
      );
    }
  } catch (error) {
    throw error instanceof BenchError ? error : (reason ?? error);
  } finally {
    first.disconnect();
  }
  const connection = { url, maxRetriesPerRequest: null };
  const queue = new library.Queue<Task, string, string>(queueName, { connection }) as unknown as AnyQueue;
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
  return {
    ...{ library, queue },
    worker: (process, options) =>
      new library.Worker<Task, string, string>(queueName, process, {
        ...options,
        connection,
        autorun: false,
      }),
    close: () => farewell(queue.close()),
  };
}

async function onPostgres(url: string, queueName: string, library: typeof BullMQ): Promise<TaskQueue> {
  await load('pg', () => import('pg'));
  const { createPostgresBackend, withBackend } = library;
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const connection = { connectionString: url, skipMigrations: true };
  const queue = new Queue<Task, string, string>(queueName, { connection });
  queue.on('error', () => undefined);
  await queue.waitUntilReady();
  return {
    ...{ library },
    queue: queue as unknown as TaskQueue['queue'],
    worker: (process, options) =>
      new Worker<Task, string, string>(queueName, process as never, {
        ...(options as object),
        ...{ connection, autorun: false },
      }) as unknown as ReturnType<TaskQueue['worker']>,
    close: () => farewell(queue.close()),
  };
}

/** Makes what PostgreSQL has to have; nothing where it is there, and on Redis. */
export async function initQueue(url: string): Promise<void> {
  if (kindOf(url) === 'redis') return void (await (await openQueue(url)).close());
  const { runMigrations } = await load('bullmq', () => import('bullmq'));
  const { default: pg } = await load('pg', () => import('pg'));
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await runMigrations(client);
  } catch (error) {
    throw asRefusal(error, url);
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether a server that comes back makes good what failed: errors of sockets, and those of PostgreSQL that say that it ends or begins. */
export function isServerGone(error: unknown): boolean {
  const { code = '', message = '' } = error as NodeJS.ErrnoException;
  return /^(E[A-Z]{3,}|08\w{3}|57P\w\d|53300)$/.test(code) || /^connection terminated/i.test(message);
}

/** No message of a library is passed on: it may hold the address with its password. */
function asRefusal(error: unknown, url: string): unknown {
  if (error instanceof BenchError) return error;
  const { name, code, message } = error as NodeJS.ErrnoException;
  const at = shownAddress(url);
  if (name === 'SchemaMigrationRequiredError') {
    return new BenchError('UNAVAILABLE', `The database at ${at} is not made ready for queues.`, {
      hint: `Once: bench queue init --queue ${at}`,
    });
  }
  if (/WRONGPASS|NOAUTH|password|authentication/i.test(message ?? '') || code === '28P01') {
    return new BenchError('UNAVAILABLE', `${at} refuses the name or the password.`, {
      hint: 'They stand in the address: redis://NAME:PASSWORD@HOST:6379.',
    });
  }
  const reason = code ?? name ?? 'unknown';
  return new BenchError('UNAVAILABLE', `The queue at ${at} cannot be used: ${reason}.`, {
    hint: 'Is the server running, and can this machine reach it?',
  });
}
