/** Systems under load, by a clock that only the made servers move: what is reported is what queueing theory says, to the last bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import type { Clock } from '../harness/latency/clock.js';
import { figuresOf, measureLoad } from '../harness/latency/load.js';
import { closedLoop, openLoop, poissonArrivals, type Server } from '../harness/latency/queueing.js';
import { mean } from '../harness/statistics/summary.js';

/** A clock that stands still but where somebody waits or works. */
class MadeClock implements Clock {
  #now: number;
  breaths = 0;
  constructor(start = 0) {
    this.#now = start;
  }
  now = () => this.#now;
  async until(ms: number): Promise<void> {
    this.#now = Math.max(this.#now, ms);
  }
  async breathe(): Promise<void> {
    this.breaths++;
  }
  work(ms: number): void {
    this.#now += ms;
  }
}

/** A server that takes so long for every call, and once stands still: at the first query that it begins at `at` or later. */
function made(
  serviceMs: number,
  pause?: { at: number; ms: number },
  maxBatch = 1,
): Server & { clock: MadeClock } {
  const clock = new MadeClock();
  let paused = false;
  return {
    clock,
    maxBatch,
    answer() {
      if (pause !== undefined && !paused && clock.now() >= pause.at) {
        paused = true;
        clock.work(pause.ms);
      }
      clock.work(serviceMs);
    },
  };
}

const evenly = (count: number, everyMs: number) =>
  Float64Array.from({ length: count }, (_, i) => i * everyMs);

test('D/D/1: nobody waits where a query comes every 10 ms and takes 4; where it takes 12, query i waits 2 i ms', async () => {
  const idle = await openLoop(evenly(500, 10), made(4));
  assert.deepEqual([...new Set(idle.waitingMs)], [0]);
  assert.deepEqual([...new Set(idle.responseMs)], [4]);
  assert.equal(idle.wholeMs, 499 * 10 + 4);
  const busy = await openLoop(evenly(500, 10), made(12));
  assert.deepEqual(
    [...busy.waitingMs],
    Array.from({ length: 500 }, (_, i) => 2 * i),
  );
  assert.deepEqual(busy.lag, { meanMs: 0, mostMs: 0 });
});

test('a pause of the server is waited for by all that come meanwhile: the open loop reports the sum that can be worked out', async () => {
  // Query 100 comes at 1000 and is answered at 1000 + 600 + 4; each that follows waits 6 ms less than the one before it.
  const { waitingMs, responseMs } = await openLoop(evenly(1000, 10), made(4, { at: 1000, ms: 600 }));
  const late = Array.from({ length: 99 }, (_, i) => 594 - 6 * i);
  assert.deepEqual([...waitingMs.subarray(101, 200)], late);
  assert.equal(late.at(-1), 6);
  assert.equal(waitingMs[200], 0);
  const total = waitingMs.reduce((sum, ms) => sum + ms, 0);
  assert.equal(total, (99 * (594 + 6)) / 2);
  assert.equal(responseMs[100], 604);
});

test('a closed loop misses the pause: one query of a thousand is slow, and p99 is that of a server that never stopped', async () => {
  const pause = { at: 1000, ms: 600 };
  const closed = figuresOf(await closedLoop(1, 1000, made(4, pause)));
  const open = figuresOf(await openLoop(evenly(1000, 10), made(4, pause)));
  assert.equal(closed.samplesMs.filter((ms) => ms > 4).length, 1);
  assert.equal(closed.response.p99Ms, 4);
  assert.equal(closed.waiting.meanMs, 0);
  assert.equal(open.samplesMs.filter((ms) => ms > 4).length, 100);
  assert.ok(open.response.p99Ms! > 500, `${open.response.p99Ms}`);
  assert.ok(Math.abs(open.waiting.meanMs - 29.7) < 1e-9);
});

test('M/D/1: the mean waiting of Poisson arrivals is rho s / 2 (1 - rho), by Pollaczek and Khinchine', async () => {
  for (const rho of [0.3, 0.5, 0.8]) {
    const rate = 100 * rho;
    const arrivals = poissonArrivals(100_000, rate, 7);
    const { waitingMs } = await openLoop(arrivals, made(10));
    // Lindley's recursion says the same of every query.
    let [waits, furthest] = [0, 0];
    for (let i = 1; i < arrivals.length; i++) {
      waits = Math.max(0, waits + 10 - (arrivals[i]! - arrivals[i - 1]!));
      furthest = Math.max(furthest, Math.abs(waitingMs[i]! - waits));
    }
    assert.ok(furthest < 1e-5, `${furthest}`);
    const expected = (rho * 10) / (2 * (1 - rho));
    assert.ok(Math.abs(mean(waitingMs) / expected - 1) < 0.03, `${rho}: ${mean(waitingMs)}, not ${expected}`);
  }
});

test('arrivals are those of a Poisson process: seeded, of the rate, gaps exponential, one pattern for all rates', () => {
  const arrivals = poissonArrivals(200_000, 50, 3);
  assert.deepEqual(arrivals.slice(0, 5), poissonArrivals(5, 50, 3));
  assert.notDeepEqual(arrivals.slice(0, 5), poissonArrivals(5, 50, 4));
  const gaps = arrivals.map((at, i) => at - (arrivals[i - 1] ?? 0));
  assert.ok(Math.abs(mean(gaps) / 20 - 1) < 0.01);
  // A share of exp(-1) of the gaps is longer than their mean, and exp(-2) longer than twice that.
  for (const times of [1, 2]) {
    const longer = gaps.filter((gap) => gap > 20 * times).length / gaps.length;
    assert.ok(Math.abs(longer - Math.exp(-times)) < 0.005, `${longer}`);
  }
  const faster = poissonArrivals(100, 500, 3);
  for (const [i, at] of faster.entries()) assert.ok(Math.abs(10 * at - arrivals[i]!) < 1e-9);
});

test('closed loops: of n clients each waits for the others, whatever n, and as many are answered per second', async () => {
  for (const clients of [1, 2, 4, 7]) {
    const figures = figuresOf(await closedLoop(clients, 700, made(5)));
    assert.equal(figures.answeredPerSecond, 200);
    assert.equal(figures.response.p50Ms, 5 * clients);
    assert.equal(figures.waiting.p50Ms, 5 * (clients - 1));
  }
  const few = await closedLoop(10, 3, made(5));
  assert.deepEqual([...few.responseMs], [5, 10, 15]);
});

test('queries that wait are answered together, as many as may be', async () => {
  // A call takes 10 ms whatever it holds: four of a batch come through in the time of one.
  const closed = figuresOf(await closedLoop(8, 800, made(10, undefined, 4)));
  assert.deepEqual([closed.calls, closed.answeredPerSecond, closed.response.p50Ms], [200, 400, 20]);
  const { waitingMs, callMs } = await openLoop([0, 1, 2, 3, 4, 25], made(10, undefined, 3));
  assert.deepEqual([...waitingMs], [0, 9, 8, 7, 16, 5]);
  assert.equal(callMs.length, 4);
});

test('what the harness itself comes too late is told apart', async () => {
  const server = made(4);
  const { clock } = server;
  const exact = clock.until;
  clock.until = async (ms) => exact.call(clock, ms + 0.5);
  const { lag, waitingMs } = await openLoop(evenly(10, 10), server);
  assert.ok(Math.abs(lag.mostMs - 0.5) < 1e-9 && Math.abs(lag.meanMs - 0.45) < 1e-9, JSON.stringify(lag));
  assert.equal(waitingMs[0], 0);
});

function system(name: string, clock: MadeClock, serviceMs: number, log: string[] = []) {
  return {
    name,
    answer(queries: readonly string[]) {
      log.push(`${name} ${queries.join(' ')}`);
      clock.work(serviceMs);
    },
  };
}

const asked = { rates: [], clients: [], boundMs: null, maxBatch: 1, seed: 1, queries: ['a', 'b', 'c'] };

test('systems take turns setting by setting and get the same queries; p99 takes a thousand samples', async () => {
  const clock = new MadeClock();
  const log: string[] = [];
  const systems = [system('x', clock, 1, log), system('y', clock, 3, log)];
  const turns: string[] = [];
  const loads = await measureLoad({
    ...{ ...asked, clock, systems, count: 999, rates: [100, 20], clients: [2] },
    onTurn: (answered, next) => turns.push(`${answered} ${next}`),
  });
  assert.equal(turns.length, 6);
  assert.deepEqual(
    [...new Set(turns.map((turn) => turn.replace(/^\d+ |, .$/g, '')))],
    ['2 clients', '100/s', '20/s'],
  );
  assert.deepEqual(
    turns.map((turn) => Number(turn.split(' ')[0])),
    [0, 999, 1998, 2997, 3996, 4995],
  );
  const of = (name: string) => log.filter((line) => line.startsWith(name)).map((line) => line.slice(2));
  assert.deepEqual(of('x'), of('y'));
  for (const { open, closed } of loads) {
    assert.deepEqual(
      open.map(({ ratePerSecond }) => ratePerSecond),
      [100, 20],
    );
    assert.equal(closed[0]!.clients, 2);
    for (const { response, queries } of [...open, ...closed]) {
      assert.equal(queries, 999);
      assert.equal(response.p99Ms, null);
    }
  }
  const [more] = await measureLoad({ ...asked, clock, systems: [systems[0]!], count: 1000, clients: [1] });
  assert.equal(more!.closed[0]!.response.p99Ms, 1);
});

test('a rate beyond what a system answers is told: the queue grows', async () => {
  const clock = new MadeClock();
  const [load] = await measureLoad({
    ...{ ...asked, clock, systems: [system('x', clock, 10)], count: 2000, rates: [50, 200] },
  });
  assert.deepEqual(
    load!.open.map(({ keptUp }) => keptUp),
    [true, false],
  );
  assert.ok(Math.abs(load!.open[1]!.answeredPerSecond - 100) < 1);
  assert.ok(Math.abs(load!.open[1]!.offeredPerSecond - 200) < 10);
});

test('the largest rate under a bound: found to 5 % beside every rate of a grid, or above the highest, or none', async () => {
  const count = 4000;
  const search = async (boundMs: number) => {
    const clock = new MadeClock();
    const [load] = await measureLoad({ ...asked, clock, systems: [system('x', clock, 10)], count, boundMs });
    return load!.bound!;
  };
  const p99At = async (rate: number) =>
    figuresOf(await openLoop(poissonArrivals(count, rate, asked.seed), made(10))).response.p99Ms!;
  const found = await search(50);
  assert.equal(found.found, 'rate');
  assert.equal(found.boundMs, 50);
  assert.ok((await p99At(found.ratePerSecond!)) <= 50);
  assert.ok((await p99At(found.ratePerSecond! * (1 + found.resolution))) > 50);
  assert.ok(found.tried.length > 3 && found.tried.every(({ p99Ms, passed }) => passed === p99Ms! <= 50));
  // A query alone takes 10 ms, and a bound of 9 is not kept by any rate; nothing is tried to find that out.
  assert.deepEqual(await search(9), {
    boundMs: 9,
    found: 'none',
    ratePerSecond: null,
    resolution: 0.05,
    tried: [],
  });
  // Some two hardly ever come together: 10.0001 ms are passed at the lowest rate that is tried.
  const tight = await search(10.0001);
  assert.equal(tight.found, 'none');
  assert.ok(tight.tried.length > 3 && Math.abs(tight.tried.at(-1)!.ratePerSecond - 5) < 1e-6);
  const above = await search(60_000);
  assert.deepEqual([above.found, above.ratePerSecond, above.tried.length], ['above', 100, 1]);
});

test('a stop ends a load at once, and nothing of it is kept', async () => {
  const clock = new MadeClock();
  const stop = new AbortController();
  let answered = 0;
  const stopping = {
    name: 'x',
    answer() {
      if (++answered === 5) stop.abort();
      clock.work(60);
    },
  };
  const load = { ...asked, clock, systems: [stopping], count: 100, signal: stop.signal };
  for (const kind of [{ rates: [1] }, { clients: [2] }]) {
    await assert.rejects(
      measureLoad({ ...load, ...kind }),
      (error) => error instanceof BenchError && error.code === 'INTERRUPTED',
    );
  }
  assert.equal(answered, 5);
  assert.ok(clock.breaths > 2, 'the process may look up between calls');
});
