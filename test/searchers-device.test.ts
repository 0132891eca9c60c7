/** `exact` on a device: what it sends there, how often, and that nothing of it stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planBlocks } from '../harness/searchers/exact/blocks.js';
import { ExactSearcher } from '../harness/searchers/exact/flat.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { DeviceVariable } from '../harness/tensor/onnx/device-variables.js';
import { cudaDevices } from './cuda-devices.js';
import { makeIndex, normalRows, temporaryFolder } from './made-index.js';
import { withoutWebGpu } from './webgpu-driver.js';

const MiB = 2 ** 20;

function countsOf(engine: Engine) {
  const [any] = engine.variables([1]).variables;
  assert.ok(any instanceof DeviceVariable);
  return any.memory.counts;
}

const devices = [
  {
    name: 'WebGPU',
    skip: await withoutWebGpu(),
    open: () => openEngine('onnx', { threads: 1, device: 'webgpu' }),
  },
  ...(await cudaDevices()),
];

for (const { name, skip, open } of devices) {
  test(`an index that fits is sent once to ${name}, when it is opened; a larger one once for each search, whatever its queries`, {
    skip,
  }, async (t) => {
    const engine = await open();
    const cpu = await openEngine('onnx', { threads: 1 });
    const counts = countsOf(engine);
    const rows = normalRows(600, 16, 'rows');
    const queries = normalRows(150, 16, 'queries').values;
    const index = await makeIndex(await temporaryFolder(t), rows, 1, 3);
    const reference = await ExactSearcher.open(index, cpu, { memoryBytes: MiB });
    const expected = await reference.search(queries, 150, 20);

    for (const { deviceMemoryBytes, resident, blocks, way } of [
      { deviceMemoryBytes: MiB, resident: true, blocks: 1, way: 'kept' },
      { deviceMemoryBytes: 250 * (16 * 4 + 128 * 4), resident: false, blocks: 3, way: 'streamed' },
    ]) {
      const before = counts.variableBytes;
      const searcher = await ExactSearcher.open(index, engine, { memoryBytes: MiB, deviceMemoryBytes });
      assert.equal(searcher.resident, resident, way);
      assert.equal(counts.variableBytes - before, resident ? 600 * 16 * 4 : 0, way);
      assert.equal(counts.buffers, resident ? blocks : 0, way);
      for (let times = 1; times <= 2; times++) {
        const otherBytes = counts.otherBytes;
        const hits = await searcher.search(queries, 150, 20);
        assert.equal(
          counts.variableBytes - before,
          (resident ? 1 : times) * 600 * 16 * 4,
          `${way}, ${times}`,
        );
        assert.equal(counts.buffers, resident ? blocks : 0, `${way}, ${times}`);
        // Two batches of 128 and 16 + 6: queries there, and k scores and rows of each back, for every block.
        const padded = 128 + 128;
        assert.ok(
          counts.otherBytes - otherBytes <= blocks * padded * (16 * 4 + 20 * (4 + 8)),
          `${way}: ${counts.otherBytes - otherBytes} bytes`,
        );
        assert.deepEqual(hits.rows, expected.rows, way);
        for (const [i, score] of hits.scores.entries())
          assert.ok(Math.abs(score - expected.scores[i]!) <= 1e-5 * Math.abs(expected.scores[i]!), way);
      }
      await searcher.dispose();
      assert.equal(counts.buffers, 0, way);
    }
    await reference.dispose();
    await index.close();
    await engine.dispose();
    await cpu.dispose();
  });

  test(`a search that fails half-way leaves nothing on ${name}`, { skip }, async (t) => {
    const engine = await open();
    const counts = countsOf(engine);
    const index = await makeIndex(await temporaryFolder(t), normalRows(600, 16, 'rows'), 1, 3);
    const searcher = await ExactSearcher.open(index, engine, {
      memoryBytes: MiB,
      deviceMemoryBytes: 250 * (16 * 4 + 128 * 4),
    });
    const stopped = searcher.search(normalRows(1, 16, 'queries').values, 1, 5, () => {
      throw new Error('enough');
    });
    await assert.rejects(stopped, /enough/);
    assert.equal(counts.buffers, 0);
    await searcher.dispose();
    await index.close();
    await engine.dispose();
  });
}

test('blocks on a device keep to its memory, to its largest array, and to what passes through this process', () => {
  const largestArrayBytes = 128 * MiB;
  for (const deviceMemoryBytes of [1e6, 1e8, 1e9, 2e10, 1e11])
    for (const memoryBytes of [1e5, 1e7, 1e9])
      for (const vectors of [1, 1000, 100_000, 21_015_324])
        for (const dimensions of [8, 768]) {
          const budget = { memoryBytes, deviceMemoryBytes, largestArrayBytes };
          const { resident, blockRows } = planBlocks(vectors, dimensions, budget);
          const label = JSON.stringify({ ...budget, vectors, dimensions });
          const blockBytes = blockRows * dimensions * 4;
          assert.ok(
            (resident ? vectors : blockRows) * dimensions * 4 + blockRows * 512 <= deviceMemoryBytes,
            label,
          );
          assert.ok((resident ? 2 : 3) * blockBytes <= memoryBytes, label);
          assert.ok(Math.max(blockBytes, blockRows * 512) <= largestArrayBytes, label);
          assert.ok(blockRows >= 1 && blockRows <= vectors, label);
        }
  const plenty = { memoryBytes: 1e9, largestArrayBytes };
  assert.equal(planBlocks(100_000, 768, { ...plenty, deviceMemoryBytes: 4e8 }).resident, true);
  assert.equal(planBlocks(100_000, 768, { ...plenty, deviceMemoryBytes: 3e8 }).resident, false);
  assert.throws(() => planBlocks(1000, 768, { ...plenty, deviceMemoryBytes: 3000 }), {
    code: 'CONFIG_INVALID',
    hint: /search\.deviceMemoryMiB/,
  });
  assert.throws(() => planBlocks(1000, 768, { ...plenty, memoryBytes: 9000, deviceMemoryBytes: 1e9 }), {
    code: 'CONFIG_INVALID',
    hint: /search\.memoryMiB/,
  });
});
