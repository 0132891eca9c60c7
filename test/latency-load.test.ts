/** Systems under load take turns, and the largest rate under a bound is found, by a clock that only made systems move. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { figuresOf, measureLoad } from '../harness/latency/load.js';
import { openLoop, poissonArrivals } from '../harness/latency/queueing.js';
import { MadeClock, madeServer } from './made-server.js';

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
    figuresOf(await openLoop(poissonArrivals(count, rate, asked.seed), madeServer(10))).response.p99Ms!;
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
