/**
 * A system under load: one server, whose queries wait in the order in which they came. Answers are computed in this process, so it
 * answers one call at a time; a call may take several queries that wait.
 */
import { setImmediate, setTimeout } from 'node:timers/promises';
import { BenchError } from '../errors.js';
import { type Stream, stream } from '../random.js';

export interface Server {
  clock: Clock;
  /** Answers these queries together, by their places: query `first`, and those behind it. */
  answer(first: number, count: number): unknown;
  /** Most queries of a call; 1 where each is answered by itself. */
  maxBatch: number;
  signal?: AbortSignal | undefined;
}

/** Milliseconds of every query, in the order in which they came. */
export interface Served {
  /** From the moment it was to come, or was sent, to the moment its answer was begun. */
  waitingMs: Float64Array;
  /** From the same moment to its answer: what its sender waits. */
  responseMs: Float64Array;
  /** Of the calls that answered them, in their order. */
  callMs: Float64Array;
  /** From the beginning to the last answer. */
  wholeMs: number;
  /** How much later than it could the harness began calls, mean and most: part of the waiting, and none of the system's. */
  lag: { meanMs: number; mostMs: number };
}

/** The process looks up so often at least. */
const breathEveryMs = 50;

/**
 * Moments at which queries come, in milliseconds, where they come by themselves and on average at this rate: a Poisson process. The
 * same seed gives the same pattern at every rate, faster or slower.
 * @param rate queries per second
 */
export function poissonArrivals(count: number, rate: number, seed: number): Float64Array {
  const random: Stream = stream(seed, 'load', 'arrivals');
  let at = 0;
  return Float64Array.from({ length: count }, () => {
    at -= Math.log(1 - random.uniform());
    return (1000 * at) / rate;
  });
}

/**
 * Queries come when they are to come, whether or not those before them are answered. Each is counted from the moment at which it
 * was to come: a system that stops for a while makes all wait that come meanwhile.
 * @param arrivalsMs ascending, from the beginning
 * @throws BenchError INTERRUPTED; what `answer` throws
 */
export async function openLoop(arrivalsMs: ArrayLike<number>, server: Server): Promise<Served> {
  const { clock, maxBatch, signal } = server;
  const log = new ServiceLog(arrivalsMs.length, server);
  const due = (query: number) => log.begun + arrivalsMs[query]!;
  for (let next = 0; next < arrivalsMs.length; ) {
    const free = await log.free();
    if (due(next) > free) await clock.until(due(next), signal);
    const from = clock.now();
    let behind = next + 1;
    while (behind < arrivalsMs.length && behind - next < maxBatch && due(behind) <= from) behind++;
    await log.call(next, behind - next, from, Math.max(due(next), free), due);
    next = behind;
  }
  return log.served();
}

/**
 * So many clients, each of whom sends its next query as soon as it has the answer to its last. What it shows is the pace of the
 * clients: a system that stops for a while is asked nothing meanwhile, and one slow answer to each is all that is seen of it.
 * @param queries of all clients together
 * @throws BenchError INTERRUPTED; what `answer` throws
 */
export async function closedLoop(clients: number, queries: number, server: Server): Promise<Served> {
  const { clock, maxBatch } = server;
  const log = new ServiceLog(queries, server);
  const sent = new Float64Array(queries);
  // The queue holds a query of each client at most, and those of a call are sent again when it ends.
  let waiting = Math.min(clients, queries);
  sent.fill(log.begun, 0, waiting);
  for (let next = 0; next < queries; ) {
    const free = await log.free();
    const from = clock.now();
    const count = Math.min(maxBatch, waiting - next);
    await log.call(next, count, from, free, (query) => sent[query]!);
    next += count;
    const again = Math.min(count, queries - waiting);
    sent.fill(clock.now(), waiting, waiting + again);
    waiting += again;
  }
  return log.served();
}

class ServiceLog {
  readonly begun: number;
  readonly #server: Server;
  readonly #waitingMs: Float64Array;
  readonly #responseMs: Float64Array;
  readonly #callMs: number[] = [];
  readonly #lag = { sumMs: 0, mostMs: 0 };
  #breath: number;
  #ended: number;

  constructor(queries: number, server: Server) {
    this.#server = server;
    this.#waitingMs = new Float64Array(queries);
    this.#responseMs = new Float64Array(queries);
    this.begun = server.clock.now();
    this.#breath = this.begun;
    this.#ended = this.begun;
  }

  /** When the server became free. */
  async free(): Promise<number> {
    const { clock, signal } = this.#server;
    if (clock.now() - this.#breath > breathEveryMs) {
      await clock.breathe();
      this.#breath = clock.now();
    }
    if (signal?.aborted === true) throw stopped();
    return this.#ended;
  }

  /** @param could when the call could have begun */
  async call(
    first: number,
    count: number,
    from: number,
    could: number,
    since: (query: number) => number,
  ): Promise<void> {
    const { answer, clock, signal } = this.#server;
    if (signal?.aborted === true) throw stopped();
    await answer(first, count);
    this.#ended = clock.now();
    this.#callMs.push(this.#ended - from);
    this.#lag.sumMs += from - could;
    this.#lag.mostMs = Math.max(this.#lag.mostMs, from - could);
    for (let query = first; query < first + count; query++) {
      this.#waitingMs[query] = from - since(query);
      this.#responseMs[query] = this.#ended - since(query);
    }
  }

  served(): Served {
    const calls = this.#callMs.length;
    return {
      waitingMs: this.#waitingMs,
      responseMs: this.#responseMs,
      callMs: Float64Array.from(this.#callMs),
      wholeMs: this.#ended - this.begun,
      lag: { meanMs: calls === 0 ? 0 : this.#lag.sumMs / calls, mostMs: this.#lag.mostMs },
    };
  }
}

const stopped = () =>
  new BenchError('INTERRUPTED', 'Measuring under load was stopped; no figure is kept.', {
    hint: 'Start the same command again: what came before it is in the cache.',
  });

export interface Clock {
  /** Milliseconds from whenever it began. */
  now(): number;
  /** Waits until then; at once where that is past, and on an abort. */
  until(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets the process see to what came meanwhile, Ctrl-C for one. */
  breathe(): Promise<void>;
}

/** A timer comes up to so much too late; the rest of a wait is spent looking at the clock. */
const timerMs = 2;

export const processClock: Clock = {
  now: () => performance.now(),
  async until(ms, signal) {
    for (let left = ms - performance.now(); left > 0; left = ms - performance.now()) {
      if (signal?.aborted === true) return;
      if (left > timerMs) await setTimeout(left - timerMs, undefined, { signal }).catch(() => undefined);
      else await setImmediate();
    }
  },
  breathe: () => setImmediate(),
};
