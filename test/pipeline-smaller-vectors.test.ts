/** Runs with the kinds of index that `exact` builds, untrained and tiny: points, bytes, accuracy, and what is refused. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { assertRequirements } from '../harness/pipeline/requirements.js';
import { silentProgress } from '../harness/progress.js';
import { readRecords } from '../harness/record.js';
import { run } from '../harness/sweep.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-smaller-'));
});
after(() => rm(root, { recursive: true, force: true }));

const tiny = [
  'train.epochs=0',
  'model.scratch.layers=1',
  'model.scratch.dimensions=16',
  'model.scratch.heads=2',
  'model.scratch.intermediate=16',
  'model.scratch.vocabularySize=500',
  'text.passageTokens=32',
  'latency.queries=5',
  'answering.measure=false',
  'searcher=exact',
  'measures=ndcg@10,success@20',
];

function request(...set: string[]) {
  const folders = [`cache=${path.join(root, 'cache')}`, `out=${path.join(root, 'out')}`];
  const config = loadConfig({ cwd: root, flags: {}, set: [...folders, ...tiny, ...set] });
  return { architecture: 'dual-encoder', dataset: 'sample', seed: 1, offline: true, config };
}

const ran = (...set: string[]) => run(request(...set), silentProgress());
const perQuery = (measures: Readonly<Record<string, { perQuery: readonly number[] }>>) =>
  Object.fromEntries(Object.entries(measures).map(([id, values]) => [id, values.perQuery]));

test('bounds: the figures of Flat, query by query, and a record that is read again', async () => {
  const flat = await ran();
  const record = await ran('index.kind=bounds');
  assert.deepEqual(record.measures, flat.measures);
  const { curve, sizeBytes, builtBy } = record.index!;
  assert.equal(builtBy!.searcher, 'exact');
  assert.equal(curve!.parameter, null);
  assert.deepEqual(curve!.points[0]!.recall, { 10: 1, 100: 1 });
  assert.deepEqual(perQuery(curve!.exact!.measures), perQuery(flat.measures));
  assert.equal(curve!.exact!.execution!.search.samplesMs.length, 5);
  assert.equal(curve!.points[0]!.sizeBytes, sizeBytes.total);
  // Codes, steps and errors beside the vectors.
  assert.equal(sizeBytes.vectors, 64 + 2000 * (16 + 8) + 2000 * 16 * 4);
  assert.equal((await readRecords([path.join(root, 'out')])).length, 2);
});

test('every point has the values per query that a run with it alone has, and bytes of its own', async () => {
  const flat = await ran();
  for (const [kind, key, values, sizes] of [
    ['cut', 'dimensions', [16, 8, 2], [128_000, 64_000, 16_000]],
    ['binary', 'rescore', [100, 200, 0], [64 + 40_000 + 128_000, 64 + 40_000 + 128_000, 64 + 40_000]],
  ] as const) {
    const record = await ran(`index.kind=${kind}`, `index.${key}=${values.join()}`);
    const { curve, parameter } = record.index!;
    assert.deepEqual(parameter, { name: key, value: values[2] });
    assert.deepEqual(perQuery(curve!.exact!.measures), perQuery(flat.measures));
    const beside = record.index!.sizeBytes.identifiers + record.index!.sizeBytes.offsets;
    assert.deepEqual(
      curve!.points.map(({ sizeBytes }) => sizeBytes! - beside),
      sizes,
    );
    const recalls = curve!.points.map(({ recall }) => recall['10']!);
    assert.ok(recalls[2]! < recalls[1]!, `${kind}: ${recalls}`);
    assert.equal(curve!.points[2]!.measures, undefined);
    const alone = await ran(`index.kind=${kind}`, `index.${key}=${values[1]}`);
    assert.deepEqual(perQuery(curve!.points[1]!.measures!), perQuery(alone.measures));
    assert.equal(alone.index!.curve!.points[0]!.recall['10'], recalls[1]);
    // The hits of that point were there already.
    assert.ok(alone.stages.find(({ name }) => name === 'search')!.execution.cached);
    if (kind === 'cut') assert.deepEqual(perQuery(curve!.points[0]!.measures!), perQuery(flat.measures));
  }
});

test('what cannot be is refused, with the value', async () => {
  for (const [set, message] of [
    [['index.kind=cut', 'index.dimensions=8,16'], /index\.dimensions: 8,16 does not go down at 16/],
    [['index.kind=int8', 'index.rescore=50'], /index\.rescore: 50 is less than the 100 hits/],
    [
      ['index.kind=cut', 'index.dimensions=32,8'],
      /index\.dimensions: 32 is more than the 16 numbers of a vector/,
    ],
    [['index.kind=bounds', 'index.rescore=100'], /index\.rescore cannot be set for an index 'bounds'/],
    [['index.kind=cut', 'index.nprobe=3'], /takes dimensions, rescore, and no nprobe/],
  ] as const)
    await assert.rejects(ran(...set), { code: 'CONFIG_INVALID', message });
  // Before anything is trained, and of what is fused too.
  for (const architecture of ['dual-encoder', 'fuse:dual-encoder+bm25'])
    await assert.rejects(
      assertRequirements({ ...request('index.kind=cut', 'index.dimensions=17'), architecture }),
      { code: 'CONFIG_INVALID', message: /17 is more than the 16/ },
    );
  assert.throws(() => request('index.kind=cut', 'index.dimensions=0'), { code: 'CONFIG_INVALID' });
  assert.throws(() => request('index.kind=int8', 'index.rescore=-1'), { code: 'CONFIG_INVALID' });
  assert.throws(() => request('index.dimensions=8'), { message: /index\.kind is "Flat"/ });
});
