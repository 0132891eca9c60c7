/** Marks of the table, fronts and wins: by the sign of a measure, and by the corrected p. Worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Report } from '../harness/contracts.js';
import type { StoredRecord } from '../harness/record.js';
import { type Given, given, near, ones } from './given-records.js';
import { prepare } from './made-reports.js';

const column = (report: Report, id: string) =>
  report.sections[0]!.columns.find((each) => each.id === id) ?? assert.fail(id);
const places = (report: Report, id: string) =>
  Object.fromEntries(report.sections[0]!.systems.map(({ name, cells }) => [name, cells[id]?.place]));

/** One run each: what is more in one is more in every figure of the next. */
const ladder = (['dual-encoder', 'mlr', 'mlr-sc', 'me-bert'] as const).map((arch, i) =>
  given({
    arch,
    // The last two are equal.
    measures: {
      'answer@20': ones(Math.min(i, 2) + 1, 5),
      'average-rank': ones(0, 5).map(() => 3 + Math.min(i, 2)),
    },
    lower: ['average-rank'],
    samples: { search: [i + 1, i + 1], total: [9 - i, 9 - i] },
    index: {
      vectorsPerPassage: i + 1,
      sizeBytes: { vectors: 900, identifiers: 100, offsets: 0, total: 1000 * (i + 1) },
      curve: { depth: 10, parameter: 'nprobe', points: [{ value: 1, recall: { 10: 0.5 + i / 10 } }] },
    },
    latency: {
      throughput: [{ batchSize: 8, queriesPerSecond: 10 - i, queries: 5, seconds: 1, samplesMs: [1] }],
    },
  }),
);

test('the best and the second: the most of a measure, the least of a rank, of bytes and of milliseconds', async () => {
  const report = await prepare(ladder);
  const marks = (id: string) => Object.values(places(report, id));
  assert.deepEqual(Object.keys(places(report, 'answer@20')), ['dual-encoder', 'mlr', 'mlr-sc', 'me-bert']);
  assert.deepEqual(marks('answer@20'), [undefined, 'second', 'best', 'best']);
  assert.deepEqual(marks('average-rank'), ['best', 'second', undefined, undefined]);
  assert.deepEqual(marks('index-bytes'), ['best', 'second', undefined, undefined]);
  assert.deepEqual(marks('index-recall'), [undefined, undefined, 'second', 'best']);
  assert.deepEqual(marks('search-ms'), ['best', 'second', undefined, undefined]);
  assert.deepEqual(marks('total-ms'), [undefined, undefined, 'second', 'best']);
  assert.deepEqual(marks('throughput-8'), ['best', 'second', undefined, undefined]);
  // What a system is, and what an index is made of, has no best.
  assert.deepEqual(marks('vectors-per-passage'), [undefined, undefined, undefined, undefined]);
  assert.deepEqual(marks('vectors-bytes'), [undefined, undefined, undefined, undefined]);
  // Of two, the one that is not the best needs no mark; where all are equal nobody has one.
  const two = await prepare(ladder.slice(2));
  assert.deepEqual(Object.values(places(two, 'index-bytes')), ['best', undefined]);
  assert.deepEqual(Object.values(places(two, 'answer@20')), [undefined, undefined]);
});

test('compared is with what is named, else with the first dual-encoder, else with the first of all', async () => {
  const baselineOf = async (records: readonly StoredRecord[], baseline?: string) =>
    (await prepare(records, baseline === undefined ? {} : { baseline })).sections[0]!.baseline;
  assert.equal(await baselineOf(ladder.toReversed()), 'dual-encoder');
  assert.equal(await baselineOf(ladder, 'mlr-sc'), 'mlr-sc');
  assert.equal(await baselineOf(ladder.slice(1)), 'mlr');
  const other = ladder[0]!.record;
  const wider = { ...other, arch: { ...other.arch, vectors: 2 } };
  const twice = [...ladder.slice(1), { file: 'wider.record.json', record: wider }, ladder[0]!];
  assert.equal(await baselineOf(twice), 'dual-encoder (M=2)');
});

test('fronts: of a rank the less, against less cost', async () => {
  const fronts = async (measure: string) =>
    (await prepare(ladder, { measures: [measure] })).sections[0]!.fronts.map(({ cost, systems }) => [
      ...[cost, systems],
    ]);
  assert.deepEqual(await fronts('average-rank'), [
    ['search-ms', ['dual-encoder']],
    ['total-ms', ['dual-encoder', 'mlr', 'me-bert']],
    ['index-bytes', ['dual-encoder']],
  ]);
  assert.deepEqual(await fronts('answer@20'), [
    ['search-ms', ['dual-encoder', 'mlr', 'mlr-sc']],
    ['total-ms', ['me-bert']],
    ['index-bytes', ['dual-encoder', 'mlr', 'mlr-sc']],
  ]);
});

test('a share is what lies between 0 and 1 in every run, both ends among them', async () => {
  const unit = async (...values: number[][]) => {
    const runs = values.map((list, i) => given({ seed: i + 1, measures: { m: list } }));
    return column(await prepare(runs), 'm').unit;
  };
  assert.equal(await unit([0, 1], [0.5, 1]), 'share');
  assert.equal(await unit([0, 1], [0.5, 1.01]), 'count');
  assert.equal(await unit([0, -0.01], [0.5, 1]), 'count');
});

const against = (arch: string, measures: Given['measures'], seed = 1) => given({ arch, seed, measures });
const significant = async (records: readonly StoredRecord[], id: string) =>
  (await prepare(records)).sections[0]!.systems.find(({ name }) => name === 'mlr')!.cells[id]!.significant;

test('a star goes by the corrected p: McNemar of 6 or 7 queries won alone, in a family of one or two', async () => {
  const runs = (won: number, measures: readonly string[]) => {
    const of = (count: number) =>
      Object.fromEntries(measures.map((id, i) => [id, ones(i === 0 ? count : 3, 20)]));
    return [against('dual-encoder', of(3)), against('mlr', of(3 + won))];
  };
  const verdict = async (won: number, ...measures: string[]) =>
    (await significant(runs(won, measures), 'answer@20'))!.overQueries;
  // p = 2 / 2^6 = 0.03125, and twice as much where another measure is tested too (of which p = 1).
  assert.equal(await verdict(6, 'answer@20'), true);
  assert.equal(await verdict(6, 'answer@20', 'answer@100'), false);
  // p = 2 / 2^7 = 0.015625, and 0.03125.
  assert.equal(await verdict(7, 'answer@20', 'answer@100'), true);
  // p = 2 / 2^5 = 0.0625
  assert.equal(await verdict(5, 'answer@20'), false);
});

test('a dagger goes by the corrected p over seeds', async () => {
  // Differences of the seeds of 4, 5 and 6 (or 2, 3 and 4) of 20 queries; of the other measure none.
  const runs = (least: number) =>
    [0, 1, 2].flatMap((i) => [
      against('dual-encoder', { 'answer@20': ones(3, 20), 'answer@100': ones(9, 20) }, i),
      against('mlr', { 'answer@20': ones(3 + least + i, 20), 'answer@100': ones(9, 20) }, i),
    ]);
  // t = mean / (s / sqrt 3), s = 0.05, and with 2 degrees of freedom p = 1 - t / sqrt(2 + t^2): 0.01307, twice 0.02614.
  const wide = (await prepare(runs(4))).sections[0]!.comparisons[0]!.measures[0]!.overSeeds;
  near(wide.p, 1 - Math.sqrt(75 / 77), 'p');
  near(wide.correctedP, 2 * (1 - Math.sqrt(75 / 77)), 'corrected p');
  assert.equal((await significant(runs(4), 'answer@20'))!.overSeeds, true);
  // 0.03510, twice 0.07020.
  const narrow = (await prepare(runs(2))).sections[0]!.comparisons[0]!.measures[0]!.overSeeds;
  near(narrow.p, 1 - Math.sqrt(27 / 29), 'p');
  assert.equal((await significant(runs(2), 'answer@20'))!.overSeeds, false);
});

test('of a measure that is better when lower, the wins are where it is lower; differences stay candidate - baseline', async () => {
  const runs = (arch: string, ranks: readonly number[]) =>
    given({ arch, measures: { 'average-rank': ranks, 'mrr@10': ranks }, lower: ['average-rank'] });
  const report = await prepare([runs('dual-encoder', [5, 5, 5, 5, 5, 5]), runs('mlr', [1, 2, 3, 4, 5, 9])]);
  const [rank, reciprocal] = report.sections[0]!.comparisons[0]!.measures;
  const outcome = (test: { wins: number; ties: number; losses: number }) => [
    ...[test.wins, test.ties, test.losses],
  ];
  assert.deepEqual([rank!.measure, outcome(rank!.overQueries)], ['average-rank', [4, 1, 1]]);
  assert.deepEqual([reciprocal!.measure, outcome(reciprocal!.overQueries)], ['mrr@10', [1, 1, 4]]);
  assert.deepEqual(outcome(rank!.overSeeds), [1, 0, 0]);
  for (const { overQueries, baseline, candidate } of [rank!, reciprocal!]) {
    near(overQueries.difference, -1, 'difference');
    assert.deepEqual([baseline, candidate], [5, 4]);
  }
});

test('over queries a report looks at 1000 patterns of signs, or at all where they are no more', async () => {
  const of = async (queries: number) => {
    const values = (by: number) => Array.from({ length: queries }, (_, i) => 1 / (i + by));
    const runs = [against('dual-encoder', { 'mrr@10': values(2) }), against('mlr', { 'mrr@10': values(1) })];
    const { permutations, exact } = (await prepare(runs)).sections[0]!.comparisons[0]!.measures[0]!
      .overQueries.randomization!;
    return [permutations, exact];
  };
  assert.deepEqual(await of(9), [512, true]);
  assert.deepEqual(await of(10), [1000, false]);
});
