import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRecords } from '../harness/comparison/compare.js';
import { describeDevice, deviceDifferences, onOneDevice } from '../harness/comparison/devices.js';
import { paretoFront } from '../harness/comparison/pictures.js';
import { groupSystems } from '../harness/comparison/systems.js';
import { BenchError } from '../harness/errors.js';
import { compareSystems } from '../harness/statistics/compare.js';
import { madeRecord, stored } from './made-records.js';

const seeds = [1, 2, 3];
const encoder = seeds.map((seed) => stored({ seed }));
const better = seeds.map((seed) => stored({ arch: 'mlr-sc', seed, lift: 0.1 }));

function refusal(run: () => unknown): BenchError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof BenchError, String(error));
    return error;
  }
  return assert.fail('nothing was refused');
}

test('runs that differ only in their seed are one system, in the order of the seeds', () => {
  const systems = groupSystems([encoder[2]!, better[0]!, encoder[0]!, encoder[1]!, better[1]!]);
  assert.deepEqual(
    systems.map(({ name, runs }) => [name, runs.map(({ record }) => record.seed)]),
    [
      ['dual-encoder', [1, 2, 3]],
      ['mlr-sc', [1, 2]],
    ],
  );
});

test('a seed that comes again begins another system, whatever other seeds there are', () => {
  const runs = [1, 2, 1, 2, 3].map((seed, i) => stored({ seed }, `${i}.record.json`));
  assert.deepEqual(
    groupSystems(runs).map(({ runs: own }) => own.map(({ file, record }) => `${file[0]}: ${record.seed}`)),
    [
      ['0: 1', '1: 2', '4: 3'],
      ['2: 1', '3: 2'],
    ],
  );
});

test('a comparison is that of the statistics, as plain JSON', () => {
  const [comparison] = compareRecords([...encoder, ...better]);
  assert.deepEqual([comparison!.baseline, comparison!.candidate], ['dual-encoder', 'mlr-sc']);
  assert.deepEqual(comparison!.familySize, { overQueries: 2, overSeeds: 2 });
  const values = (records: typeof encoder) => ({
    name: records[0]!.record.arch.name,
    queryIds: records[0]!.record.queryIds,
    measures: Object.fromEntries(
      ['answer@20', 'mrr@10'].map((id) => [
        id,
        records.map(({ record }) => ({ seed: record.seed!, values: record.measures[id]!.perQuery })),
      ]),
    ),
  });
  const expected = compareSystems(values(encoder), values(better)).measures;
  for (const [i, { measure, overQueries, overSeeds, baseline }] of comparison!.measures.entries()) {
    const { overQueries: queries, overSeeds: overall, baseline: summary } = expected[i]!;
    assert.equal(measure, expected[i]!.measure);
    assert.equal(baseline, summary.mean);
    assert.deepEqual([overQueries.p, overQueries.correctedP], [queries.p, queries.correctedP]);
    assert.deepEqual([overSeeds.p, overSeeds.difference], [overall.p, overall.difference]);
    assert.deepEqual([overQueries.wins, overQueries.losses], [queries.wins, queries.losses]);
    for (const [own, test] of [
      [overQueries, queries],
      [overSeeds, overall],
    ] as const) {
      assert.deepEqual([own.n, own.test, own.ties], [test.n, test.test, test.ties]);
      const { low, high } = test.interval!;
      assert.deepEqual(own.interval, { low, high });
      assert.deepEqual(own.effectSize, { name: test.effectSize.name, value: test.effectSize.value });
      assert.deepEqual(own.randomization, test.randomization);
    }
  }
  assert.deepEqual(JSON.parse(JSON.stringify(comparison)), comparison);
});

test('pairs that do not belong together are refused, and the message says what differs', () => {
  const against = (request: Parameters<typeof stored>[0]) =>
    refusal(() => compareRecords([stored(), stored({ arch: 'mlr', ...request })])).message;
  assert.match(
    against({ version: '2' }),
    /differ: dataset version '1, files [0-9a-f]{8}' and '2, files [0-9a-f]{8}'/,
  );
  assert.match(against({ split: 'dev' }), /dataset split 'test' and 'dev'/);
  assert.match(against({ queries: 150 }), /do not hold the same queries: 50 only in dual-encoder/);
  assert.match(against({ seed: 2 }), /the seeds differ: dual-encoder has 1; mlr has 2/);
  assert.match(
    against({ status: 'failed' }),
    /needs two systems.*\n.*failed and is left out: the loss is NaN/,
  );
  const files = [{ name: 'made.json', sizeBytes: 3, sha256: 'b'.repeat(64) }];
  const record = madeRecord({ arch: 'mlr' });
  const changed = { file: 'x', record: { ...record, dataset: { ...record.dataset, files } } };
  assert.match(refusal(() => compareRecords([stored(), changed])).message, /dataset version '1, files/);
  const one = refusal(() => compareRecords(encoder));
  assert.match(one.message, /needs two systems, and the records hold dual-encoder with 3 runs/);
  const unknown = refusal(() => compareRecords([...encoder, ...better], { baseline: 'mlr-cs' }));
  assert.match(unknown.message, /Did you mean 'mlr-sc'/);
});

test('seeds that differ are paired on the common ones only when asked', () => {
  const records = [...encoder, ...better.slice(1)];
  assert.match(refusal(() => compareRecords(records)).message, /the seeds differ/);
  const [comparison] = compareRecords(records, { commonSeeds: true });
  assert.deepEqual(comparison!.measures[0]!.seeds, [2, 3]);
  assert.equal(comparison!.measures[0]!.overQueries.seed, null);
  const [one] = compareRecords([encoder[1]!, ...better], { commonSeeds: true });
  assert.equal(one!.measures[0]!.overQueries.seed, 2);
});

test('a system without seeds is paired with every seed of the other, in either order', () => {
  const foreign = stored({ arch: 'bm25', seed: null, lift: 0.05 });
  for (const records of [
    [foreign, ...encoder],
    [...encoder, foreign],
  ]) {
    const [comparison] = compareRecords(records);
    assert.deepEqual(comparison!.measures[0]!.seeds, [1, 2, 3]);
    assert.equal(comparison!.measures[0]!.overSeeds.n, 3);
  }
  const other = stored({ arch: 'splade', seed: null });
  const [both] = compareRecords([foreign, other]);
  assert.deepEqual(both!.measures[0]!.seeds, [null]);
  const seedsOf = (list: typeof encoder) =>
    compareRecords(list, { commonSeeds: true }).map(({ measures }) => measures[0]!.seeds);
  // One that has none takes those of its partner: of the first that has any, where the baseline has none either.
  assert.deepEqual(seedsOf([foreign, other, ...encoder]).at(-1), [1, 2, 3]);
  assert.deepEqual(seedsOf([...encoder, ...better.slice(1), other]), [
    [2, 3],
    [1, 2, 3],
  ]);
});

test('as many random sign patterns as are asked for', () => {
  const [comparison] = compareRecords([...encoder, ...better], { permutations: 19 });
  const { overQueries } = comparison!.measures.find(({ measure }) => measure === 'mrr@10')!;
  assert.equal(overQueries.randomization!.permutations, 19);
  assert.equal(overQueries.randomization!.p, 1 / 20, 'none of them reaches what was seen');
});

test('latencies are ratios where the devices agree, else the reason', () => {
  const [same] = compareRecords([stored(), stored({ arch: 'mlr', slower: 2 })]);
  const search = same!.latency.find(({ part }) => part === 'search')!;
  assert.ok(search.interval.low > 1.9 && search.interval.high < 2.1, JSON.stringify(search));
  assert.ok(search.interval.low < search.ratio && search.ratio < search.interval.high);
  const [other] = compareRecords([stored(), stored({ arch: 'mlr', cpu: 'Another CPU' })]);
  assert.deepEqual(other!.latency, []);
  assert.match(other!.latencyNotes[0]!, /different devices are not compared: CPU Made CPU and Another CPU/);
});

test('devices differ by what runs, not by versions of libraries', () => {
  const a = madeRecord();
  const versions = { ...a, device: { ...a.device, versions: { onnx: '2' } } };
  assert.deepEqual(deviceDifferences(a, versions), []);
  const other = (device: object, machine: object = {}) => ({
    ...a,
    device: { ...a.device, ...device, machine: { ...a.device.machine, ...machine } },
  });
  for (const [device, machine, said] of [
    [{ threads: 1 }, {}, 'threads 2 and 1'],
    [{ engine: 'tensorflow' }, {}, 'engine onnx and tensorflow'],
    [{ searcher: 'faiss' }, {}, 'searcher exact and faiss'],
    [{ device: 'webgpu' }, {}, 'device cpu and webgpu'],
    [{}, { cpu: 'Another' }, 'CPU Made CPU and Another'],
    [{}, { cores: 8 }, 'cores 2 and 8'],
    // As many cores in the machine, and fewer that the process may use.
    [{}, { availableCores: 1 }, 'cores in use 2 and 1'],
  ] as const) {
    assert.deepEqual(deviceDifferences(a, other(device, machine)), [said]);
    assert.ok(!onOneDevice([a, other(device, machine)]), said);
  }
  assert.deepEqual(deviceDifferences(a, other({}, { memoryBytes: 1, os: 'Else', node: '22' })), []);
  const resident = { ...a, latency: { ...a.latency!, resident: false } };
  assert.deepEqual(deviceDifferences(a, resident), ['vectors in memory yes and no']);
  assert.match(describeDevice(other({}, { cores: 8 })), /; Made CPU, 2 of 8 cores$/);
});

test('the Pareto front: what no other equals or beats in both and beats in one', () => {
  const point = (name: string, cost: number, accuracy: number) => ({ name, cost, accuracy });
  const points = [point('cheap', 1, 1), point('good', 3, 5), point('between', 2, 3), point('worse', 3, 4)];
  assert.deepEqual(paretoFront(points), ['cheap', 'good', 'between']);
  assert.deepEqual(paretoFront([...points, point('twin', 3, 5)]), ['cheap', 'good', 'between', 'twin']);
  assert.deepEqual(paretoFront(points, -1), ['cheap']);
});

test('a system without an engine is compared on the same machine, not on another', () => {
  const dense = madeRecord();
  const { device } = dense;
  const ownWay = { engine: null, searcher: 'bm25', threads: 1 };
  const sparse = { ...madeRecord({ arch: 'bm25' }), device: { ...device, ...ownWay } };
  assert.deepEqual(deviceDifferences(dense, sparse), []);
  const elsewhere = { ...sparse, device: { ...sparse.device, machine: { ...device.machine, cores: 4 } } };
  assert.deepEqual(deviceDifferences(dense, elsewhere), ['cores 2 and 4']);
  // Two engines do not become comparable because a third system stands between them.
  const other = { ...dense, device: { ...device, engine: 'tensorflow' } };
  assert.ok(onOneDevice([dense, sparse]) && !onOneDevice([sparse, dense, other]));
  assert.match(describeDevice(sparse), /^no engine on cpu, bm25, 1 thread; /);
  // One that encodes on the same engine and searches weights of tokens.
  const weights = {
    ...dense,
    device: { ...device, searcher: 'impacts' },
    index: { ...dense.index!, kind: 'impacts', dimensions: 0 },
  };
  assert.deepEqual(deviceDifferences(dense, weights), []);
  const otherThreads = { ...weights, device: { ...weights.device, threads: 7 } };
  assert.deepEqual(deviceDifferences(dense, otherThreads), ['threads 2 and 7']);
});
