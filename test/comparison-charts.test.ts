/** What charts and lists of a report show, worked out from given records by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LatencyValues, RunRecord, StoredRecord } from '../harness/record.js';
import { bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { type Given, given } from './given-records.js';
import { stored } from './made-records.js';
import { prepare } from './made-reports.js';

const sectionOf = async (records: readonly StoredRecord[], request: Parameters<typeof prepare>[1] = {}) =>
  (await prepare(records, request)).sections[0]!;

const sizeOf = (total: number) => ({ vectors: total, identifiers: 0, offsets: 0, total });
const searched = (samplesMs: number[]): { search: LatencyValues } => {
  const none = { low: 0, high: 0 };
  return {
    search: {
      ...{ meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, samplesMs },
      intervalsMs: { p50: none, p95: none, p99: none },
    },
  };
};

/** Searched with nprobe 4 and then 16; recall and samples differ by seed. */
function approximate(seed: number, more: Partial<Given> = {}): StoredRecord {
  return given({
    ...{ arch: 'mlr', seed, measures: { 'mrr@10': [1, 0] }, samples: { search: [9, 9] } },
    index: {
      ...{ kind: 'IVF16,Flat', sizeBytes: sizeOf(1000 * seed) },
      curve: {
        ...{ depth: 10, parameter: 'nprobe' },
        points: [
          {
            value: 4,
            recall: { 1: seed / 10, 10: seed / 5 },
            execution: searched([seed + 2, seed, seed + 1]),
          },
          { value: 16, recall: { 1: 0.9, 10: 1 }, execution: searched([10 * seed]) },
        ],
      },
    },
    ...more,
  });
}
const exact = given({
  ...{ arch: 'dual-encoder', measures: { 'mrr@10': [1, 1] }, samples: { search: [4, 5, 6, 7, 8] } },
  index: { sizeBytes: sizeOf(3000) },
});

test('index curves: means over seeds of recall and bytes, medians of all samples of a point; Flat finds all', async () => {
  const { indexCurves } = await sectionOf([exact, approximate(1), approximate(2)], { measures: ['mrr@10'] });
  const { low, high } = bootstrapStatistic([3, 1, 2, 4, 2, 3], 'median').interval;
  const [flat, ivf] = indexCurves!.curves;
  assert.equal(indexCurves!.depth, 10);
  assert.deepEqual(
    [flat!.system, flat!.kind, flat!.parameter, flat!.indexBytes],
    ['dual-encoder', 'Flat', null, 3000],
  );
  const [only] = flat!.points;
  assert.deepEqual([only!.value, only!.recall], [null, { 1: 1, 10: 1 }]);
  // (5 - 1) 0.95 = 3.8: between 7 and 8.
  assert.deepEqual([only!.searchMs!.value, only!.searchMs!.p95.toFixed(6)], [6, '7.800000']);
  assert.deepEqual(
    [ivf!.system, ivf!.kind, ivf!.parameter, ivf!.indexBytes],
    ['mlr', 'IVF16,Flat', 'nprobe', 1500],
  );
  const [four, sixteen] = ivf!.points;
  assert.deepEqual([four!.value, sixteen!.value], [4, 16]);
  assert.deepEqual(
    Object.values(four!.recall).map((value) => value.toFixed(6)),
    ['0.150000', '0.300000'],
  );
  // 1, 2, 2, 3, 3, 4: (6 - 1) 0.95 = 4.75.
  assert.deepEqual(four!.searchMs, { value: 2.5, p95: 3.75, interval: { low, high } });
  assert.deepEqual([sixteen!.searchMs!.value, sixteen!.searchMs!.p95], [15, 19.5]);
});

test('index curves: other depths, other points of a seed and other devices are told apart', async () => {
  const curvesOf = async (...records: StoredRecord[]) => (await sectionOf(records)).indexCurves;
  assert.equal(await curvesOf(exact), undefined);
  const curve = approximate(1).record.index!.curve!;
  // The depth of the first counts.
  const deeper = given({
    ...{ arch: 'me-bert', measures: { 'mrr@10': [1, 0] } },
    index: { kind: 'HNSW32', curve: { ...curve, depth: 100, parameter: 'efSearch' } },
  });
  const both = (await curvesOf(approximate(1), deeper))!;
  assert.deepEqual([both.depth, both.curves.map(({ system }) => system)], [10, ['mlr']]);
  // Seeds whose points are of other values make no curve.
  const other = approximate(2);
  const points = curve.points.map((point, i) => ({ ...point, value: 5 + i }));
  const index = { ...other.record.index!, curve: { ...curve, points } };
  const mixed = { ...other, record: { ...other.record, index } };
  assert.equal(await curvesOf(approximate(1), mixed), undefined);
  // On two machines recall is still a mean, and no time is.
  const [elsewhere] = (await curvesOf(approximate(1), approximate(2, { machine: { cpu: 'Another' } })))!
    .curves;
  assert.equal(elsewhere!.points[0]!.recall[10]!.toFixed(6), '0.300000');
  assert.equal(elsewhere!.points[0]!.searchMs, undefined);
  // One sample has no interval.
  const [alone] = (await curvesOf(approximate(1)))!.curves;
  assert.deepEqual(alone!.points[1]!.searchMs, { value: 10, p95: 10 });
});

const won = (arch: string, seed: number, winners: RunRecord['winners']): StoredRecord => {
  const { file, record } = given({ arch, seed, measures: { 'mrr@10': [1, 0] } });
  return { file, record: { ...record, ...(winners && { winners }) } };
};

test('winners: counts of all seeds by vector, kinds that a run lacks left out', async () => {
  const facts = (more: object = {}) => ({
    ...{ vectors: ['layer 12', 'layer 10', 'layer 2'], histogram: [7, 0, 3] },
    ...{ topHit: [0, 2, null, 2], gold: [null, 0, null, null] },
    ...more,
  });
  const dev = { qrels: [5, 1, 0], answers: [6, 0, 0] };
  const { winners } = await sectionOf([
    won('mlr', 1, facts({ answer: [1, 1, null, 0], dev })),
    won('mlr', 2, facts({ answer: [0, null, null, null], dev: { qrels: [1, 0, 0] } })),
  ]);
  const vectors = (...counts: [string, number][]) => counts.map(([name, count]) => ({ name, count }));
  assert.deepEqual(winners, [
    { system: 'mlr', on: 'all hits', total: 20, vectors: vectors(['layer 12', 14], ['layer 2', 6]) },
    { system: 'mlr', on: 'first hits', total: 6, vectors: vectors(['layer 12', 2], ['layer 2', 4]) },
    { system: 'mlr', on: 'first relevant hits', total: 2, vectors: vectors(['layer 12', 2]) },
    {
      system: 'mlr',
      on: 'first hits with an answer',
      total: 4,
      vectors: vectors(['layer 12', 2], ['layer 10', 2]),
    },
    { system: 'mlr', on: 'dev gold, by qrels', total: 7, vectors: vectors(['layer 12', 6], ['layer 10', 1]) },
  ]);
  // Of ColBERT a run may have met a longer passage than another: the vectors of all are counted.
  const short = { vectors: ['token 0'], histogram: [4], topHit: [0], gold: [null] };
  const long = { vectors: ['token 0', 'token 1'], histogram: [1, 2], topHit: [1], gold: [null] };
  for (const order of [
    [short, long],
    [long, short],
  ]) {
    const grown = await sectionOf(order.map((each, i) => won('colbert-cls', i + 1, each)));
    assert.deepEqual(grown.winners[0]!.vectors, vectors(['token 0', 5], ['token 1', 2]));
  }
  const lacking = await sectionOf([won('mlr', 1, facts()), won('mlr', 2, undefined)]);
  assert.deepEqual(lacking.winners, []);
});

test('training: loss and dev of every epoch of every run that was trained', async () => {
  const { training } = await sectionOf([stored({ epochs: 2 }), stored({ seed: 2, epochs: 2 })]);
  const epochs = [
    { epoch: 0, loss: 3, dev: { crossEntropy: 3.2 } },
    { epoch: 1, loss: 1.5, dev: { crossEntropy: 1.6 } },
  ];
  assert.deepEqual(
    training,
    [1, 2].map((seed) => ({ system: 'dual-encoder', seed, bestEpoch: 1, epochs })),
  );
  const [one] = (await sectionOf([stored({ epochs: 1 })])).training;
  assert.deepEqual(one, { system: 'dual-encoder', seed: 1, bestEpoch: 0, epochs: epochs.slice(0, 1) });
  assert.deepEqual((await sectionOf([stored({ epochs: 0 })])).training, []);
});

test('runs: the file, the seconds of the stages, the model, the commit and the warnings of each', async () => {
  const { file, record } = stored({ arch: 'mlr', seed: 3 });
  const { arch: _, ...rest } = record;
  const full: RunRecord = {
    ...rest,
    arch: record.arch,
    model: {
      ...{ name: 'scratch', kind: 'bert', shape: {}, parameterCount: 1_234_567, tied: true },
      ...{ revision: null, files: [] },
    },
    device: { ...record.device, git: { commit: 'abc', dirty: true } },
    warnings: ['one'],
    latency: { ...record.latency!, warnings: ['two'] },
  };
  const { runs } = await sectionOf([{ file, record: full }]);
  assert.deepEqual(runs, [
    {
      ...{ file, system: 'mlr', seed: 3, status: 'ok', createdAt: record.createdAt },
      ...{ command: 'bench run --arch mlr', model: 'scratch (bert, 1,234,567 parameters)' },
      ...{ device: 'onnx on cpu, exact, 2 threads; Made CPU, 2 of 2 cores', versions: { onnx: '1' } },
      ...{ commit: 'abc, with changes', stages: [{ name: 'train', seconds: 12.5, cached: false }] },
      ...{ warnings: ['one', 'two'] },
    },
  ]);
});

test('a failed run whose version is not known stands with the first of its dataset and split', async () => {
  const failed = stored({ arch: 'mlr', status: 'failed', version: 'unknown' }, 'failed');
  const others = [stored({ split: 'dev' }), stored({ version: '2' }), stored({ version: '3' })];
  const { sections } = await prepare([failed, ...others]);
  assert.deepEqual(
    sections.map(({ dataset, runs }) => [dataset.split, runs.length]),
    [
      ['dev', 1],
      ['test', 2],
      ['test', 1],
    ],
  );
  const alone = await prepare([failed, stored({ split: 'dev' })]);
  assert.deepEqual(
    alone.sections.map(({ dataset, runs }) => [dataset.split, runs.length]),
    [
      ['dev', 1],
      ['test', 1],
    ],
  );
});
