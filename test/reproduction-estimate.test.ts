/** What a grid is said to take before anything runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { estimate } from '../harness/reproduction/estimate.js';
import { loadReproduction } from '../harness/reproduction/files.js';
import { type GridOptions, gridOf } from '../harness/reproduction/grid.js';

const options = (scale: GridOptions['scale']): GridOptions => ({
  scale,
  dataset: 'sample',
  folders: new Map(),
  models: new Map(),
  offline: true,
  cwd: '.',
  flags: {},
  set: [],
});

test('the estimate of one training of the paper is what the paper says of it', async () => {
  const { runs } = await estimate(await gridOf(loadReproduction('table8'), options('paper')));
  const [low, high] = runs[0]!.gpuHours!;
  assert.ok(Math.abs(low - 64) < 0.1 && Math.abs(high - 120) < 0.1, `${low} to ${high}`);
  assert.equal(runs[0]!.indexBytes, 21_015_324 * 768 * 4);
});

test('lambda: each value is a training of its own, and what is chosen is encoded once', async () => {
  const { runs } = await estimate(await gridOf(loadReproduction('lambda'), options('paper')));
  const [low] = (await estimate(await gridOf(loadReproduction('table8'), options('paper')))).runs[0]!
    .gpuHours!;
  const { cost } = loadReproduction('lambda').reproduction;
  const encoding = (low * cost.encodedPassages) / (cost.encodedPassages + 4 * cost.trainedPassages);
  for (const { gpuHours, encodings } of runs) {
    assert.equal(encodings, 1);
    assert.ok(Math.abs(gpuHours![0] - (4 * (low - encoding) + encoding)) < 0.1, String(gpuHours));
  }
});

test('a system that is put together of others trains and encodes what these do, and is known by no kind', async () => {
  const loaded = loadReproduction('table8');
  const [row] = loaded.reproduction.rows.filter(({ architecture }) => architecture !== undefined);
  const runsWith = async (architecture: string) => {
    const reproduction = { ...loaded.reproduction, rows: [{ ...row!, architecture }] };
    return estimate(await gridOf({ ...loaded, reproduction }, options('paper')));
  };
  const [alone, terms, fused] = [
    await runsWith('mlr-sc'),
    await runsWith('bm25'),
    await runsWith('fuse:bm25+mlr-sc'),
  ];
  assert.deepEqual([terms.passages, terms.unknown, terms.runs[0]!.encodings], [0, 0, 0]);
  assert.ok(alone.passages > 0);
  assert.deepEqual([fused.passages, fused.runs[0]!.encodings], [alone.passages, alone.runs[0]!.encodings]);
  // Bytes and hours of the whole are not told beforehand.
  assert.deepEqual([alone.unknown, fused.unknown], [0, 1]);
  // Where a row of its own tells them, the order of rows changes nothing.
  const both = async (...architectures: string[]) => {
    const rows = architectures.map((architecture) => ({ ...row!, architecture, label: architecture }));
    return estimate(
      await gridOf({ ...loaded, reproduction: { ...loaded.reproduction, rows } }, options('paper')),
    );
  };
  for (const order of [
    ['mlr-sc', 'fuse:bm25+mlr-sc'],
    ['fuse:bm25+mlr-sc', 'mlr-sc'],
  ]) {
    const { passages, indexBytes, gpuHours, unknown } = await both(...order);
    assert.deepEqual(
      [passages, indexBytes, gpuHours, unknown],
      [alone.passages, alone.indexBytes, alone.gpuHours, 0],
    );
  }
  assert.ok(alone.gpuHours![0] > 0 && alone.indexBytes > 0);
});
