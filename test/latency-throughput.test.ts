/** Throughput: what is asked in which batches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureThroughput } from '../harness/latency/throughput.js';

/** Waits so long that the clock cannot miss it. */
function spin(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

const queries = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

test('throughput: full batches of every size, all queries asked, queries over seconds', async () => {
  const sizes: Record<string, number[]> = { x: [], y: [] };
  const asked = new Set<string>();
  const systemOf = (name: string) => ({
    name,
    runBatch: async (batch: readonly string[]) => {
      sizes[name]!.push(batch.length);
      for (const query of batch) asked.add(query);
      spin(2);
    },
  });
  const { systems } = await measureThroughput({
    systems: [systemOf('x'), systemOf('y')],
    queries,
    batchSizes: [1, 3, 20],
    warmup: 2,
    seed: 1,
    minBatches: 4,
  });
  // Per size: 2 batches of warm-up, then 8, 4 and 4.
  const expected = [...Array(10).fill(1), ...Array(6).fill(3), ...Array(6).fill(20)];
  assert.deepEqual(sizes, { x: expected, y: expected });
  assert.equal(asked.size, queries.length);
  assert.deepEqual(
    systems.map(({ name }) => name),
    ['x', 'y'],
  );
  for (const { throughput } of systems) {
    assert.deepEqual(
      throughput.map(({ batchSize, queries: count }) => [batchSize, count]),
      [
        [1, 8],
        [3, 12],
        [20, 80],
      ],
    );
    for (const { queriesPerSecond, queries: count, seconds, samplesMs } of throughput) {
      assert.ok(Math.abs(seconds - samplesMs.reduce((sum, ms) => sum + ms, 0) / 1000) < 1e-12);
      assert.equal(queriesPerSecond, count / seconds);
      assert.ok(samplesMs.every((ms) => ms >= 2));
    }
  }
  await assert.rejects(measureThroughput({ systems: [], queries: [], warmup: 0, seed: 1 }), {
    code: 'DATA_INVALID',
  });
});
