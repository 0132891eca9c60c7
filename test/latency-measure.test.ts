/** How latency is taken: who runs when, which sample is whose, and what tinybench is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { measureLatency, type System, summarizeLatency } from '../harness/latency/latency.js';

/** Waits so long that the clock cannot miss it. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function logged(name: string, log: string[]): System {
  return {
    name,
    parts: [
      {
        name: 'tokenize',
        run: (query: string) => {
          log.push(`${name} ${query}`);
          return `${query} tokens`;
        },
      },
      { name: 'encode', run: async (tokens: string) => `${tokens} vector` },
      {
        name: 'search',
        run: (vector: string) => {
          log.push(`${name} searches ${vector}`);
        },
      },
    ],
  };
}

const queries = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

test('each system answers each query once, after its warm-up, each part fed by the one before', async () => {
  const log: string[] = [];
  await measureLatency({ systems: [logged('x', log), logged('y', log)], queries, warmup: 3, seed: 1 });
  for (const name of ['x', 'y']) {
    const asked = log.filter((line) => /^. .$/.test(line) && line.startsWith(name));
    assert.equal(asked.length, 3 + queries.length);
    assert.deepEqual(
      asked.slice(3).sort(),
      queries.map((query) => `${name} ${query}`),
    );
    for (const query of queries) assert.ok(log.includes(`${name} searches ${query} tokens vector`));
  }
});

test('systems take turns, in changing order; queries come in a seeded order', async () => {
  const orderOf = async (seed: number) => {
    const log: string[] = [];
    await measureLatency({ systems: [logged('x', log), logged('y', log)], queries, warmup: 0, seed });
    return log.filter((line) => /^. .$/.test(line));
  };
  const order = await orderOf(1);
  for (let i = 0; i < order.length; i += 2) {
    assert.equal(order[i]![2], order[i + 1]![2], 'both systems answer a query before the next');
    assert.notEqual(order[i]![0], order[i + 1]![0]);
  }
  assert.equal(new Set(order.filter((_, i) => i % 2 === 0).map((line) => line[0])).size, 2);
  assert.notDeepEqual(
    order.filter((_, i) => i % 2 === 0).map((line) => line[2]),
    queries,
  );
  assert.deepEqual(await orderOf(1), order);
  assert.notDeepEqual(await orderOf(2), order);
});

test('sample i belongs to query i, part by part, and the total is their sum', async () => {
  const encode = (query: string) => {
    if (query === 'b' || query === 'g') spin(12);
    return query;
  };
  const system: System = {
    name: 'x',
    parts: [
      { name: 'encode', run: encode },
      { name: 'search', run: (query: string) => spin(query === 'd' ? 12 : 0) },
    ],
  };
  const { systems } = await measureLatency({ systems: [system], queries, warmup: 1, seed: 5, rounds: 2 });
  const { parts, total } = systems[0]!;
  assert.deepEqual(Object.keys(parts), ['encode', 'search']);
  for (const [part, expected] of [
    ['encode', ['b', 'g']],
    ['search', ['d']],
  ] as const) {
    const { samplesMs } = parts[part]!;
    assert.equal(samplesMs.length, 2 * queries.length);
    for (const query of expected) {
      const at = queries.indexOf(query);
      assert.ok(samplesMs[at]! >= 12 && samplesMs[at + queries.length]! >= 12, `${part} of ${query}`);
    }
  }
  for (const [i, ms] of total.samplesMs.entries()) {
    assert.equal(ms, parts.encode!.samplesMs[i]! + parts.search!.samplesMs[i]!);
  }
  assert.ok(total.p95Ms >= 12 && total.meanMs > total.p50Ms);
});

test('an awaited part is timed to its end', async () => {
  const system: System = {
    name: 'x',
    parts: [{ name: 'search', run: () => new Promise((resolve) => setTimeout(resolve, 15)) }],
  };
  const { systems } = await measureLatency({ systems: [system], queries: ['a', 'b'], warmup: 0, seed: 1 });
  // Timers may fire up to a millisecond early.
  assert.ok(Math.min(...systems[0]!.total.samplesMs) >= 14);
});

test('a part that throws ends the measurement with its own error', async () => {
  const failing: System = {
    name: 'x',
    parts: [
      {
        name: 'search',
        run() {
          throw new BenchError('CACHE_INVALID', 'the shard is damaged');
        },
      },
    ],
  };
  for (const warmup of [0, 2]) {
    await assert.rejects(measureLatency({ systems: [failing], queries, warmup, seed: 1 }), {
      code: 'CACHE_INVALID',
      message: 'the shard is damaged',
    });
  }
});

test('an abort stops it, in the warm-up too, and leaves no figures', async () => {
  for (const [warmup, stopAt] of [
    [0, 4],
    [6, 2],
  ] as const) {
    const controller = new AbortController();
    let calls = 0;
    const system: System = {
      name: 'x',
      parts: [{ name: 'search', run: () => (++calls === stopAt ? controller.abort() : undefined) }],
    };
    await assert.rejects(
      measureLatency({ systems: [system], queries, warmup, seed: 1, signal: controller.signal }),
      { code: 'INTERRUPTED' },
    );
    assert.equal(calls, stopAt);
  }
});

test("tinybench's warnings about the timer are passed on, with the part they are about", async () => {
  const instant: System = { name: 'x', parts: [{ name: 'search', run: () => spin(1) }] };
  const now = performance.now;
  // A clock that only knows whole 100 milliseconds.
  performance.now = () => Math.floor(now.call(performance) / 100) * 100;
  let warnings: readonly string[];
  try {
    const steady: System = { name: 'x', parts: [{ name: 'search', run: () => undefined }] };
    ({ warnings } = await measureLatency({
      systems: [steady],
      queries: [...queries, ...queries],
      warmup: 0,
      seed: 1,
    }));
  } finally {
    performance.now = now;
  }
  assert.ok(
    warnings.some((warning) => /timer is too coarse for search of x: .*zero-dominated/.test(warning)),
    warnings.join('\n'),
  );
  const fine = await measureLatency({ systems: [instant], queries, warmup: 0, seed: 1, rounds: 13 });
  assert.deepEqual(fine.warnings, []);
});

test('p99 takes a thousand samples: of fewer it is not measured, and neither is its interval', () => {
  for (const [count, expected] of [
    [1000, 989.01],
    [999, null],
  ] as const) {
    const samples = Float64Array.from({ length: count }, (_, i) => i);
    const { p99Ms, p95Ms, intervalsMs } = summarizeLatency(samples, { seed: 1, resamples: 50 });
    assert.equal(p99Ms, expected);
    assert.equal(intervalsMs.p99 === null, expected === null);
    assert.ok(p95Ms > 940 && intervalsMs.p95.high > p95Ms - 20);
  }
});

test('nothing to measure is refused', async () => {
  const system: System = { name: 'x', parts: [{ name: 'search', run: () => 0 }] };
  const part = system.parts[0]!;
  const measure = (systems: System[], asked: string[], warmup = 0) =>
    measureLatency({ systems, queries: asked, warmup, seed: 1 });
  await assert.rejects(measure([system], []), { code: 'DATA_INVALID' });
  await assert.rejects(measure([], ['a']), /no system/);
  await assert.rejects(measure([system, system], ['a']), /one name/);
  await assert.rejects(measure([{ name: 'x', parts: [] }], ['a']), /no parts/);
  await assert.rejects(measure([{ name: 'x', parts: [part, part] }], ['a']), /two parts of one name/);
  await assert.rejects(measure([system], ['a'], -1), /warmup/);
});

test('the summary of known samples', () => {
  const samples = Float64Array.from({ length: 101 }, (_, i) => 100 - i);
  const summary = summarizeLatency(samples, { seed: 1 });
  assert.equal(summary.meanMs, 50);
  assert.deepEqual([summary.p50Ms, summary.p95Ms], [50, 95]);
  assert.deepEqual(summary.samplesMs, Array.from(samples), 'samples keep their order');
  const { p50, p95 } = summary.intervalsMs;
  assert.ok(p50.low < 50 && p50.high > 50 && p95.low > p50.high);
});
