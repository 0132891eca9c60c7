/** The cells of the table, each worked out by hand from records that are given. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupSystems } from '../harness/comparison/systems.js';
import { tableOf } from '../harness/comparison/table.js';
import type { ReportCell } from '../harness/contracts.js';
import type { StoredRecord } from '../harness/record.js';
import { bootstrapStatistic } from '../harness/statistics/bootstrap.js';
import { given, near, ones } from './given-records.js';
import { stored } from './made-records.js';
import { prepare, render } from './made-reports.js';

function cellsOf(records: readonly StoredRecord[], name = 'dual-encoder'): Record<string, ReportCell> {
  return tableOf(groupSystems(records), []).rows.find((row) => row.name === name)!.cells;
}

/** Three seeds of one system: each query is answered by three, two, one and none of them. */
const seeds = [1, 2, 3].map((seed) =>
  given({
    seed,
    measures: { 'answer@20': ones(seed, 4), 'average-rank': [4, 8, 6 * seed, 10] },
    lower: ['average-rank'],
    samples: {
      tokenize: [0.01, 0.02],
      encode: [10 * seed, 10 * seed + 4],
      search: [3 * seed - 2, 3 * seed - 1, 3 * seed],
      total: [100 * seed, 100 * seed],
    },
    latency: {
      wholeIndexSecondsPerQuery: seed / 8,
      throughput: [1, 16].map((batchSize) => ({
        ...{ batchSize, queriesPerSecond: batchSize * 10 * seed, queries: 4, seconds: 1, samplesMs: [1] },
      })),
    },
    index: {
      ...{ kind: 'IVF4,Flat', vectorsPerPassage: 2, rows: 2000, projectedBytes: 7000 + 1000 * seed },
      sizeBytes: {
        ...{ vectors: 700 * seed, identifiers: 200 * seed, offsets: 60 * seed, total: 1000 * seed },
        ...{ postings: 25 * seed, terms: 10 * seed, lengths: 5 * seed },
      },
      curve: {
        ...{ depth: 10, parameter: 'nprobe' },
        // The run searches with the last value, which need not be the one that finds most.
        points: [
          { value: 4, recall: { 1: 0.9, 10: 0.97, 100: 0.99 } },
          { value: 2, recall: { 1: 0.5, 10: 0.5 + seed / 10, 100: 0.8 } },
        ],
      },
    },
  }),
);

test('accuracy: the mean over seeds, and their deviation with n - 1', () => {
  const { 'answer@20': answer, 'average-rank': rank } = cellsOf(seeds);
  // 0.25, 0.5, 0.75: two squares of 0.25 over 2.
  near(answer!.value, 0.5, 'mean');
  near(answer!.deviation, 0.25, 'deviation');
  // Means of 28/4, 34/4 and 40/4.
  near(rank!.value, 8.5, 'mean of ranks');
  near(rank!.deviation, 1.5, 'deviation of ranks');
  // Drawn are queries, each with its mean over the seeds.
  const { low, high } = bootstrapStatistic([1, 2 / 3, 1 / 3, 0], 'mean', { resamples: 1000 }).interval;
  assert.deepEqual(answer!.interval, { low, high });
  assert.equal(cellsOf([seeds[1]!])['answer@20']!.deviation, undefined);
});

test('size: bytes of the index, for each passage, by part, and projected; means over seeds', () => {
  const cells = cellsOf(seeds);
  const expected: Record<string, [value: number, deviation: number]> = {
    'vectors-per-passage': [2, 0],
    'index-bytes': [2000, 1000],
    // 1,000 passages, of two rows each.
    'bytes-per-passage': [2, 1],
    'projected-bytes': [9000, 1000],
    'vectors-bytes': [1400, 700],
    'identifiers-bytes': [400, 200],
    'offsets-bytes': [120, 60],
    'postings-bytes': [50, 25],
    'terms-bytes': [20, 10],
    'lengths-bytes': [10, 5],
  };
  for (const [id, [value, deviation]] of Object.entries(expected)) {
    near(cells[id]?.value, value, id);
    near(cells[id]?.deviation, deviation, `deviation of ${id}`);
  }
});

test('passages a second are the passages over the seconds that stand beside them, over seeds too', () => {
  const took = (seconds: number) => ({ seconds, cpu: 'Made CPU', threads: 2 });
  const made = { madeAt: '2026-01-01T00:00:00.000Z', benchVersion: '0.1.0', git: null };
  const runs = [1, 4].map((seconds, i) => {
    const { file, record } = stored({ seed: i + 1 });
    const execution = { cached: true, seconds: 0, made: { ...made, took: took(seconds) } };
    return { file, record: { ...record, stages: [{ name: 'encode', key: null, execution }] } };
  });
  const cells = cellsOf(runs);
  near(cells['build-s']?.value, 2.5, 'seconds');
  // 1,000 passages in 1 s and in 4 s: 2,000 in 5 s, where the mean of both rates is 625.
  for (const id of ['passages-per-s', 'encode-passages-per-s']) near(cells[id]?.value, 400, id);
});

test('recall of the index: that of the last point, which the run is of, at the depth of the run', () => {
  const { 'index-recall': recall } = cellsOf(seeds);
  // 0.6, 0.7, 0.8
  near(recall!.value, 0.7, 'recall');
  near(recall!.deviation, 0.1, 'deviation');
});

test('latency: medians and slow queries of the samples of all seeds, throughput as that of all seeds together, the whole index as a mean', () => {
  const cells = cellsOf(seeds);
  const expected = {
    // 10, 14, 20, 24, 30, 34
    'encode-ms': 22,
    // 1 to 9
    'search-ms': 5,
    'total-ms': 200,
    // (9 - 1) 0.95 = 7.6: between the eighth and the ninth.
    'search-p95-ms': 8.6,
    // 3 / (1 / 10 + 1 / 20 + 1 / 30): as many queries of each seed.
    'throughput-1': 180 / 11,
    'throughput-16': (16 * 180) / 11,
    'whole-index-s': 0.25,
  };
  for (const [id, value] of Object.entries(expected)) near(cells[id]?.value, value, id);
  const search = [1, 2, 3, 4, 5, 6, 7, 8, 9];
  for (const [id, of] of [
    ['search-ms', 'median'],
    ['search-p95-ms', { quantile: 0.95 }],
  ] as const) {
    const { low, high } = bootstrapStatistic(search, of).interval;
    assert.deepEqual(cells[id]!.interval, { low, high }, id);
  }
  near(cells['whole-index-s']!.deviation, 0.125, 'deviation of the whole index');
  // Two samples are the fewest that have an interval.
  assert.ok('interval' in cellsOf([seeds[0]!])['encode-ms']!);
  const one = given({ measures: { 'answer@20': [1] }, samples: { encode: [7] } });
  assert.deepEqual(cellsOf([one])['encode-ms'], { value: 7 });
});

test('p99 takes a thousand samples of all seeds together; of fewer there is a note in place of a figure', async () => {
  const system = (arch: string, count: number) =>
    [1, 2].map((seed) => {
      const search = Array.from({ length: count }, (_, i) => i);
      return given({ arch, seed, measures: { 'answer@20': [1, 0] }, samples: { search } });
    });
  const enough = system('dual-encoder', 500);
  const few = system('mlr', 400);
  const search = Array.from({ length: 1000 }, (_, i) => i >> 1);
  const { estimate, interval } = bootstrapStatistic(search, { quantile: 0.99 });
  const cell = cellsOf([...enough, ...few])['search-p99-ms']!;
  near(cell.value, estimate, 'p99');
  assert.ok(Math.abs(cell.interval!.low - interval.low) < 5, 'interval');
  assert.equal(cellsOf([...enough, ...few], 'mlr')['search-p99-ms'], undefined);
  const notes = async (records: StoredRecord[]) => (await prepare(records)).sections[0]!.notes;
  const wanted = 'search p99 is not measured: 800 samples of mlr, and it takes 1,000.';
  assert.ok((await notes([...enough, ...few])).includes(wanted));
  assert.ok((await notes(few)).includes(wanted.replace('mlr', 'each system')));
  assert.ok(!(await notes(enough)).some((note) => note.includes('p99')));
});

test('a figure that one seed lacks is no figure of the system', () => {
  const {
    latency: _,
    index: { curve: __, ...index } = { ...seeds[2]!.record.index! },
    ...rest
  } = seeds[2]!.record;
  const { postings: ___, ...sizeBytes } = index.sizeBytes;
  const lacking = { ...rest, index: { ...index, sizeBytes } };
  const cells = cellsOf([seeds[0]!, seeds[1]!, { file: 'x', record: lacking }]);
  const lost = Object.keys(cellsOf(seeds)).filter((id) => !(id in cells));
  assert.deepEqual(lost, [
    ...['index-recall', 'encode-ms', 'search-ms', 'total-ms', 'whole-index-s', 'postings-bytes'],
    ...['search-p95-ms', 'throughput-1', 'throughput-16'],
  ]);
});

test('csv: the cells of a row, each under its heading', async () => {
  const candidate = [1, 2].map((seed) =>
    given({
      ...{ arch: 'mlr', seed, lower: ['average-rank'] },
      measures: { 'answer@20': ones(seed + 1, 4), 'average-rank': [4, 8, 6 * seed, 10] },
    }),
  );
  const text = await render('csv', await prepare([...seeds.slice(0, 2), ...candidate]));
  const [head, first, second] = text
    .split('\n')
    .map((line) => [...line.matchAll(/(?:^|,)("[^"]*"|[^,]*)/g)].map(([, cell]) => cell!));
  const cells = (row: readonly string[], ...ids: string[]) => ids.map((id) => row[head!.indexOf(id)]);
  const facts = ['dataset', 'version', 'split', 'queries', 'system', 'arch', 'layers', 'vectors', 'seeds'];
  const told = ['made', '1', 'test', '4'];
  assert.deepEqual(cells(first!, ...facts), [...told, 'dual-encoder', 'dual-encoder', '2', '1', '1 2']);
  assert.deepEqual(cells(second!, ...facts), [...told, 'mlr', 'mlr', '2', '1', '1 2']);
  // Seeds 1 and 2: means of 1 and 2 times what is given.
  assert.deepEqual(
    cells(first!, 'answer@20', 'average-rank', 'index-bytes', 'bytes-per-passage', 'search-ms'),
    ['0.375', '7.75', '1500', '1.5', '3.5'],
  );
  near(Number(cells(first!, 'answer@20 deviation')[0]), Math.SQRT2 / 8, 'deviation');
  // Each seed gains one query of four, and not the same one: differences of 0, 0.5, 0.5 and 0, t = sqrt 3 with 3 degrees of
  // freedom, p = 1/2 - 1/pi, twice that for two measures. The differences of the seeds have no spread, so no p.
  const [difference, p] = cells(second!, 'answer@20 difference', 'answer@20 corrected p').map(Number);
  near(difference, 0.25, 'difference');
  assert.ok(Math.abs(p! - (1 - 2 / Math.PI)) < 1e-9, String(p));
  assert.deepEqual(cells(second!, 'answer@20 corrected p over seeds'), ['']);
  assert.deepEqual(cells(first!, 'answer@20 difference', 'answer@20 corrected p'), ['', '']);
});
