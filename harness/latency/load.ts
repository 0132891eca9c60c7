/** Systems under load, one after another at each setting, in a seeded order: no two of them are ever busy at once. */
import { stream } from '../random.js';
import { p99Missing } from '../statistics/percentile-samples.js';
import { mean, quantile } from '../statistics/summary.js';
import {
  type Clock,
  closedLoop,
  openLoop,
  poissonArrivals,
  processClock,
  type Served,
  type Server,
} from './queueing.js';
import { type RateFound, RateSearch } from './rate-search.js';

export interface LoadedSystem<Query = string> {
  name: string;
  /** Answers all of them together; what it returns is not looked at. */
  answer(queries: readonly Query[]): unknown;
}

export interface LoadOptions<Query = string> {
  systems: readonly LoadedSystem<Query>[];
  /** One or more, which come again where more are asked for; all systems get the same in the same order. */
  queries: readonly Query[];
  /** Queries at each setting. */
  count: number;
  /** Of open loops, queries per second. */
  rates: readonly number[];
  /** Of closed loops, clients. */
  clients: readonly number[];
  /** Where given, the largest rate is sought at which p99 of an open loop stays below it. */
  boundMs: number | null;
  /** Most queries that wait which are answered together. */
  maxBatch: number;
  /** Of the order of queries and systems, and of the moments at which queries come. */
  seed: number;
  clock?: Clock;
  signal?: AbortSignal;
  /** Told what comes next and how many queries were answered so far, while no clock runs. */
  onTurn?: (answered: number, next: string) => void;
}

/** Milliseconds; p99 is null where the samples are fewer than it takes. */
export interface LoadTimes {
  meanMs: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number | null;
}

export interface LoadFigures {
  queries: number;
  /** All queries over the time from the beginning to the last answer. */
  answeredPerSecond: number;
  /** What a sender waits: from the moment at which a query was to come, or was sent, to its answer. */
  response: LoadTimes;
  /** The part of it before the answer was begun. */
  waiting: LoadTimes;
  /** Mean of a call, which answers `maxBatch` queries at most. */
  callMeanMs: number;
  calls: number;
  /** By how much the harness itself was late, which is part of the waiting. */
  lag: { meanMs: number; mostMs: number };
  /** Of the response, in the order in which queries came. */
  samplesMs: readonly number[];
}

export interface OpenFigures extends LoadFigures {
  /** As asked for. */
  ratePerSecond: number;
  /** As it came out for these arrivals. */
  offeredPerSecond: number;
  /** Whether it answered at 95 % of the rate or more that was offered; else the queue grows as long as the load lasts. */
  keptUp: boolean;
}

export interface ClosedFigures extends LoadFigures {
  clients: number;
}

export interface SystemLoad {
  name: string;
  open: OpenFigures[];
  closed: ClosedFigures[];
  bound?: RateFound & { boundMs: number };
}

const keepsUp = 0.95;

/** @throws BenchError INTERRUPTED; TypeError without queries; what a system throws */
export async function measureLoad<Query>(options: LoadOptions<Query>): Promise<SystemLoad[]> {
  const { systems, queries, count, rates, clients, boundMs, seed } = options;
  if (queries.length === 0) throw new TypeError('no query to load a system with');
  const turns = new Turns(options);
  const loads: SystemLoad[] = systems.map(({ name }) => ({ name, open: [], closed: [] }));
  for (const many of clients) {
    await turns.each(`${many} clients`, async (s, server) => {
      loads[s]!.closed.push({ clients: many, ...figuresOf(await closedLoop(many, count, server)) });
    });
  }
  for (const rate of rates) {
    await turns.each(`${rate}/s`, async (s, server) => {
      loads[s]!.open.push(await openFigures(rate, count, seed, server));
    });
  }
  if (boundMs !== null) await searchRates(boundMs, loads, turns, options);
  return loads;
}

/** The searches of all systems step by step. Where one query by itself takes longer than the bound nothing is tried. */
async function searchRates<Query>(
  boundMs: number,
  loads: SystemLoad[],
  turns: Turns<Query>,
  { count, maxBatch, seed }: LoadOptions<Query>,
): Promise<void> {
  const searches: (RateSearch | undefined)[] = loads.map(() => undefined);
  await turns.each('rates: one client', async (s, server) => {
    const alone = figuresOf(await closedLoop(1, count, server));
    const busy = maxBatch === 1 ? alone : figuresOf(await closedLoop(maxBatch, count, server));
    const search = new RateSearch(busy.answeredPerSecond);
    searches[s] = search;
    const { p99Ms } = alone.response;
    if (p99Ms !== null && p99Ms <= boundMs) return;
    loads[s]!.bound = { boundMs, ...search.found() };
  });
  for (let step = 1; loads.some(({ bound }) => bound === undefined); step++) {
    await turns.each(`rates: step ${step}`, async (s, server) => {
      if (loads[s]!.bound !== undefined) return;
      const search = searches[s]!;
      const ratePerSecond = search.next();
      if (ratePerSecond === undefined) {
        loads[s]!.bound = { boundMs, ...search.found() };
        return;
      }
      const { response, keptUp } = await openFigures(ratePerSecond, count, seed, server);
      const { p99Ms } = response;
      search.tell({ ratePerSecond, p99Ms, passed: keptUp && p99Ms !== null && p99Ms <= boundMs });
    });
  }
}

/** Brings every system on in turn. */
class Turns<Query> {
  readonly #options: LoadOptions<Query>;
  readonly #random;
  readonly #order: readonly Query[];
  #answered = 0;

  constructor(options: LoadOptions<Query>) {
    this.#options = options;
    this.#random = stream(options.seed, 'load', 'systems');
    this.#order = stream(options.seed, 'load', 'queries').shuffle([...options.queries]);
  }

  async each(what: string, work: (system: number, server: Server) => Promise<void>): Promise<void> {
    const { systems, maxBatch, clock = processClock, signal, onTurn } = this.#options;
    for (const s of this.#random.shuffle(systems.map((_, i) => i))) {
      const { name, answer } = systems[s]!;
      onTurn?.(this.#answered, `${what}, ${name}`);
      await work(s, {
        ...{ clock, maxBatch, signal },
        answer: (first, count) => {
          this.#answered += count;
          const batch = Array.from(
            { length: count },
            (_, i) => this.#order[(first + i) % this.#order.length]!,
          );
          return answer(batch);
        },
      });
    }
  }
}

async function openFigures(rate: number, count: number, seed: number, server: Server): Promise<OpenFigures> {
  const arrivals = poissonArrivals(count, rate, seed);
  const served = await openLoop(arrivals, server);
  const lastMs = arrivals[count - 1]!;
  return {
    ratePerSecond: rate,
    offeredPerSecond: (1000 * count) / lastMs,
    keptUp: keepsUp * served.wholeMs <= lastMs,
    ...figuresOf(served),
  };
}

/** The figures of what was served. */
export function figuresOf({ responseMs, waitingMs, callMs, wholeMs, lag }: Served): LoadFigures {
  return {
    queries: responseMs.length,
    answeredPerSecond: (1000 * responseMs.length) / wholeMs,
    response: timesOf(responseMs),
    waiting: timesOf(waitingMs),
    callMeanMs: mean(callMs),
    calls: callMs.length,
    lag,
    samplesMs: Array.from(responseMs),
  };
}

function timesOf(samplesMs: Float64Array): LoadTimes {
  const sorted = Float64Array.from(samplesMs).sort();
  return {
    meanMs: mean(sorted),
    p50Ms: quantile(sorted, 0.5),
    p95Ms: quantile(sorted, 0.95),
    p99Ms: p99Missing(sorted.length) === undefined ? quantile(sorted, 0.99) : null,
  };
}
