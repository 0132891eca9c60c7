/** Queries that wait, by a clock that only made servers move: what is reported is what queueing theory says, to the last bit. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figuresOf } from '../harness/latency/load.js';
import { closedLoop, openLoop, poissonArrivals } from '../harness/latency/queueing.js';
import { mean } from '../harness/statistics/summary.js';
import { evenly, madeServer as made } from './made-server.js';

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
