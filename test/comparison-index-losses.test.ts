/** What an index that is not exact costs, worked out from given records by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lossesOf, lossMeasure, rateAt, ratesOf } from '../harness/comparison/index-losses.js';
import { loadReport } from '../harness/plugins.js';
import type { LatencyValues, StoredRecord } from '../harness/record.js';
import { bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { given } from './given-records.js';
import { prepare } from './made-reports.js';

const none = { low: 0, high: 0 };
const searched = (samplesMs: number[]): { search: LatencyValues } => ({
  search: {
    ...{ meanMs: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, samplesMs },
    intervalsMs: { p50: none, p95: none, p99: none },
  },
});
const measured = (perQuery: number[]) => ({
  'ndcg@10': { mean: perQuery.reduce((sum, value) => sum + value, 0) / perQuery.length, perQuery },
});

/** Two points: one loses 0.2 and 0 of two queries and more of the others, the last nothing. */
function graph(seed: number): StoredRecord {
  const exact = [1, 0.5, 0.75, 0.5];
  return given({
    ...{ arch: 'mlr', seed, measures: { 'ndcg@10': exact }, samples: { search: [8, 8] } },
    index: {
      ...{ kind: 'HNSW32', sizeBytes: { vectors: 90, identifiers: 10, offsets: 0, total: 100 } },
      parameter: { name: 'efSearch', value: 400 },
      curve: {
        ...{ depth: 100, parameter: 'efSearch' },
        exact: { measures: measured(exact), execution: searched([16, 16, 16]) },
        points: [
          {
            value: 100,
            recall: { 10: 0.8, 100: 0.7 },
            sizeBytes: 60,
            measures: measured(seed === 1 ? [0.8, 0.5, 0.75, 0.25] : [0.8, 0.5, 0.5, 0.25]),
            execution: searched([2, 2, 2]),
          },
          { value: 400, recall: { 10: 1, 100: 0.9 }, sizeBytes: 100, execution: searched([8, 8, 8]) },
        ],
      },
    },
  });
}

test('losses are paired by query with means over seeds, and speeds are ratios to Flat in the same turns', async () => {
  const report = await prepare([graph(1), graph(2)], {});
  const section = report.sections[0]!;
  const [fast, whole] = section.indexCurves!.curves[0]!.points;
  const { low, high } = bootstrapStatistic([1 - 0.8, 0, 0.125, 0.25], 'mean').interval;
  assert.equal(fast!.loss!.measure, 'ndcg@10');
  assert.ok(Math.abs(fast!.loss!.value - 0.575 / 4) < 1e-12);
  assert.ok(
    Math.abs(fast!.loss!.interval!.low - low) < 1e-12 && Math.abs(fast!.loss!.interval!.high - high) < 1e-12,
  );
  assert.deepEqual(whole!.loss, { measure: 'ndcg@10', value: 0, interval: none });
  assert.deepEqual([fast!.speed, whole!.speed], [8, 2]);
  assert.deepEqual([fast!.indexBytes, whole!.indexBytes], [60, 100]);
  const notes = section.notes.join('\n');
  assert.match(
    notes,
    /mlr: HNSW32, efSearch 100, loses at most \d+\.\d\d of ndcg@10 \(14\.37; 95 % interval .*\), at 8\.0 times the speed of Flat\./,
  );
  assert.match(
    notes,
    /mlr: HNSW32, efSearch 400, loses nothing of ndcg@10, at 2\.0 times the speed of Flat\./,
  );
  // Half way between 500 and 125 queries a second is their geometric mean.
  assert.match(
    notes,
    /queries per second, one at a time, at recall@10 of 0\.9: 250 \(interpolated\); recall@10 of 0\.95: 177 \(interpolated\)/,
  );
  const html = await (await loadReport('html')).render(report);
  assert.ok(html.includes('loss of ndcg@10 %') && html.includes('times as fast as Flat'));
});

test('a record of an older version has recall and times, and no loss', async () => {
  const { record, file } = graph(1);
  const { exact: _, ...curve } = record.index!.curve!;
  const old = { file, record: { ...record, index: { ...record.index!, curve } } };
  const [first] = (await prepare([old], {})).sections[0]!.indexCurves!.curves;
  assert.ok(first!.points.every(({ loss, speed }) => loss === undefined && speed === undefined));
  assert.ok(first!.rates!.every(({ of }) => of === 'recall@10'));
});

test('a rate is measured where a point is that good, interpolated between two, and absent where none is', () => {
  const points = [
    { at: 0.8, perSecond: 1000 },
    { at: 0.9, perSecond: 100 },
    { at: 0.98, perSecond: 300 },
  ];
  assert.deepEqual(rateAt(points, 0.99), {});
  assert.deepEqual(rateAt(points, 0.5), { perSecond: 1000, interpolated: false });
  // The point at 0.98 is better and faster than that at 0.9.
  assert.deepEqual(rateAt(points, 0.9), { perSecond: 300, interpolated: false });
  const between = rateAt(points, 0.82);
  assert.equal(between.interpolated, true);
  assert.ok(Math.abs(between.perSecond! - 10 ** 2.8) < 1e-9);
  assert.deepEqual(rateAt([], 0.9), {});
});

test('a point that is exactly as good as asked is measured there, and nothing is interpolated to it', () => {
  const point = (at: number, perSecond: number) => ({ at, perSecond });
  assert.deepEqual(rateAt([point(0.9, 100)], 0.9), { perSecond: 100, interpolated: false });
  assert.deepEqual(rateAt([point(0.9, 100), point(0.8, 400)], 0.9), { perSecond: 100, interpolated: false });
  assert.deepEqual(rateAt([point(0.9, 100), point(1, 50)], 0.9), { perSecond: 100, interpolated: false });
  // Of two that are as good the faster one, whichever comes first.
  for (const [a, b] of [
    [100, 200],
    [200, 100],
  ] as const)
    assert.deepEqual(rateAt([point(0.9, a), point(0.9, b)], 0.9), { perSecond: 200, interpolated: false });
  assert.deepEqual(rateAt([point(0.89, 100)], 0.9), {});
});

test('two queries are enough for an interval of what is lost; one is not, nor are losses that are all alike', () => {
  const losing = (exact: number[], own: number[]) => {
    const point = { value: 1, recall: { 10: 1 }, measures: measured(own) };
    const last = { value: 2, recall: { 10: 1 } };
    const curve = {
      depth: 10,
      parameter: 'efSearch',
      exact: { measures: measured(exact) },
      points: [point, last],
    };
    const run = given({ arch: 'mlr', measures: { 'ndcg@10': exact }, index: { kind: 'HNSW32', curve } });
    return lossesOf({ name: 'mlr', runs: [run] }, 'ndcg@10');
  };
  const [two, last] = losing([1, 0.5], [0.5, 0.5]);
  assert.equal(two!.value, 0.25);
  assert.deepEqual([two!.interval!.low >= 0, two!.interval!.high <= 0.5], [true, true]);
  assert.ok(two!.interval!.high > two!.interval!.low);
  assert.deepEqual(last, { measure: 'ndcg@10', value: 0, interval: none });
  assert.deepEqual(losing([1], [0.5])[0], { measure: 'ndcg@10', value: 0.5 });
  assert.deepEqual(losing([1, 1], [0.5, 0.5])[0], { measure: 'ndcg@10', value: 0.5 });
  assert.deepEqual(losing([0.5], [0.5])[0], { measure: 'ndcg@10', value: 0, interval: none });
});

test('losses are told of the measure that is asked for, else of ndcg@10, else of the first that all runs hold', () => {
  const run = (seed: number, exact: string[], lower: string[] = []) => {
    const measures = Object.fromEntries(['mrr@10', 'ndcg@10', 'rank'].map((id) => [id, [1, 0]]));
    const held = Object.fromEntries(exact.map((id) => [id, { mean: 0.5, perQuery: [1, 0] }]));
    const curve = { depth: 10, parameter: 'efSearch', exact: { measures: held }, points: [] };
    return given({ arch: 'mlr', seed, measures, lower, index: { kind: 'HNSW32', curve } });
  };
  const of = (asked: string | undefined, ...runs: StoredRecord[]) =>
    lossMeasure({ name: 'mlr', runs }, asked);
  const all = run(1, ['mrr@10', 'ndcg@10']);
  assert.deepEqual([of('mrr@10', all), of(undefined, all), of('p@5', all)], ['mrr@10', 'ndcg@10', 'ndcg@10']);
  assert.equal(of(undefined, all, run(2, ['mrr@10'])), 'mrr@10');
  assert.equal(of('rank', run(1, ['mrr@10', 'rank'], ['rank'])), 'mrr@10');
  assert.equal(of('rank', run(1, ['rank'], ['rank'])), undefined);
  assert.equal(of('mrr@10', run(1, [])), undefined);
});

test('rates are queries a second at each recall of the first ten, and at each loss where every point has one', () => {
  const point = (recall: number, ms: number, lost?: number) => ({
    ...{ value: 1, recall: { 10: recall, 100: recall / 2 }, searchMs: { value: ms, p95: ms } },
    ...(lost !== undefined && { loss: { measure: 'ndcg@10', value: lost } }),
  });
  const rates = ratesOf([point(0.9, 4, 0.01), point(0.99, 8, 0.003)]);
  assert.deepEqual(
    rates.map(({ of, target }) => [of, target]),
    [
      ...[0.9, 0.95, 0.99].map((target) => ['recall@10', target]),
      ...[0.003, 0.01].map((target) => ['loss of ndcg@10', target]),
    ],
  );
  const [most, , least, little, more] = rates.map(({ perSecond }) => perSecond);
  assert.deepEqual([most, least, little, more], [250, 125, 125, 250]);
  assert.equal(ratesOf([point(0.9, 4, 0.01), point(0.99, 8)]).length, 3);
  assert.deepEqual(ratesOf([{ value: 1, recall: { 10: 1 } }]), []);
  assert.deepEqual(ratesOf([]), []);
});

test('a curve of one point, of a kind that is told nothing, is shown as any', async () => {
  const { record, file } = graph(1);
  const { curve, ...index } = record.index!;
  const single = { ...curve!, parameter: null, points: [{ ...curve!.points[1]!, value: null }] };
  const report = await prepare([{ file, record: { ...record, index: { ...index, curve: single } } }], {});
  const [shown] = report.sections[0]!.indexCurves!.curves;
  assert.deepEqual(
    shown!.points.map(({ value, recall }) => [value, recall]),
    [[null, { 10: 1, 100: 0.9 }]],
  );
});
