/** Latencies and bytes just on either side of each condition of a check: samples are given, every ratio is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportCheck } from '../harness/contracts.js';
import { type Given, given } from './given-records.js';
import { check, named, thresholds, worse } from './made-checks.js';

type Samples = NonNullable<Given['samples']>;
type Part = keyof Samples;

const timed = (samples: Samples) => given({ measures: { 'answer@20': [1, 0] }, samples });
/** Every sample of a part the same, so that its intervals have no width. */
const steady = (ms: Partial<Record<Part, number>>): Samples =>
  Object.fromEntries(
    Object.entries(ms).map(([part, value]) => [part, Array.from({ length: 20 }, () => value)]),
  );

function checksOf(before: Samples, now: Samples): ReportCheck[] {
  return check([timed(before)], [timed(now)], thresholds);
}
const all = { tokenize: 1, encode: 10, search: 10, total: 21 };
const verdict = (before: Samples, now: Samples, part: Part = 'search') =>
  named(checksOf(before, now), `latency ${part}`).verdict;

test('a part that takes 1.5 times as long is not worse, one that takes longer is; the same downwards', () => {
  const of = (search: number) => verdict(steady(all), steady({ ...all, search }));
  assert.deepEqual([15, 15.01, 6.67, 6.66].map(of), ['same', 'worse', 'same', 'better']);
});

test('the detail holds both medians, both ratios with their intervals, and the pace', () => {
  const { baseline, current, unit, detail } = named(
    checksOf(steady(all), steady({ tokenize: 1.1, encode: 12, search: 16, total: 29.1 })),
    'latency search',
  );
  assert.deepEqual([baseline, current, unit], [10, 16, 'ms']);
  assert.equal(
    detail,
    'median 10.0 ms to 16.0 ms: ×1.60 (95 % ×1.60 to ×1.60); fastest tenth ×1.60 (95 % ×1.60 to ×1.60); pace of the machine ×1.10',
  );
});

test('a part must be slower in itself, by the root of the threshold, however fast the machine became', () => {
  // The machine at 0.8 of its time: search at 1.22 and 1.23 of its own is 1.525 and 1.5375 of the pace; the root is 1.2247.
  const of = (search: number) =>
    verdict(steady(all), steady({ tokenize: 0.8, encode: 8, search: 10 * search, total: 20 }));
  assert.deepEqual([1.22, 1.23].map(of), ['same', 'worse']);
  // And faster in itself: at 1.25 of its time, search at 0.82 and 0.81 is 0.656 and 0.648 of the pace; 1 / 1.2247 = 0.8165.
  const back = (search: number) =>
    verdict(steady(all), steady({ tokenize: 1.25, encode: 12.5, search: 10 * search, total: 20 }));
  assert.deepEqual([0.82, 0.81].map(back), ['same', 'better']);
});

test('the pace is that of the part that slowed down least; in itself slow is not enough', () => {
  const of = (tokenize: number) =>
    verdict(steady(all), steady({ tokenize, encode: 20, search: 20, total: 40 }));
  // 2 / 1.33 is over 1.5, 2 / 1.34 is not.
  assert.deepEqual([1.33, 1.34].map(of), ['worse', 'same']);
  const checks = checksOf(steady(all), steady({ tokenize: 1.34, encode: 20, search: 20, total: 40 }));
  assert.deepEqual(worse(checks), []);
  assert.equal(
    named(checks, 'latency search').spared,
    'median ×2.00, fastest tenth ×2.00, over the ×1.50 of check.latencyRatio, and every part of the median took at least ×1.34, which is taken for the machine; every part of the fastest tenth took at least ×1.34, which is taken for the machine',
  );
  // The total is no part that the pace is read off: it holds the others.
  assert.equal(verdict(steady(all), steady({ tokenize: 2, encode: 20, search: 20, total: 21 })), 'same');
});

test('of one part alone the machine cannot be told from the program; of two it can', () => {
  assert.equal(verdict(steady({ search: 10 }), steady({ search: 16 })), 'worse');
  assert.equal(verdict(steady({ encode: 10, search: 10 }), steady({ encode: 16, search: 16 })), 'same');
  assert.equal(verdict(steady({ encode: 10, search: 10 }), steady({ encode: 10, search: 16 })), 'worse');
});

/** Of 201 samples so many fast, then middling, then slow: the fastest tenth is among the first, the median in the middle. */
const spread = (fast: number, middle: number, slow: number): number[] =>
  Array.from({ length: 201 }, (_, i) => (i < 40 ? fast : i < 161 ? middle : slow));

test('both the median and the fastest tenth must be slower; what the slow queries do plays no part', () => {
  const before = { ...steady(all), search: spread(10, 20, 30) };
  const now = (fast: number, middle: number, slow: number) => ({
    ...steady(all),
    search: spread(fast, middle, slow),
  });
  // The slowest tenth is as it was.
  assert.equal(verdict(before, now(15.1, 30.1, 30.1)), 'worse');
  // The fastest tenth is not slower enough, the slowest is three times as slow.
  assert.equal(verdict(before, now(14.9, 40, 90)), 'same');
  // The median is not.
  assert.equal(verdict(before, now(15.1, 29.9, 90)), 'same');
  const spared = (next: Samples) => named(checksOf(before, next), 'latency search').spared;
  assert.equal(
    spared(now(14.9, 40, 90)),
    'median ×2.00, over the ×1.50 of check.latencyRatio, and the fastest tenth took only ×1.49',
  );
  assert.equal(
    spared(now(16, 29.8, 90)),
    'fastest tenth ×1.60, over the ×1.50 of check.latencyRatio, and the median took only ×1.49',
  );
  assert.equal(spared(now(14.9, 29.9, 90)), undefined);
  // Downwards the same: the slowest tenth decides nothing.
  assert.equal(verdict(before, now(6.6, 13.2, 30)), 'better');
  assert.equal(verdict(before, now(6.8, 13.2, 13.2)), 'same');
  assert.equal(verdict(before, now(6.6, 13.6, 13.6)), 'same');
});

test('few samples that lie wide apart say nothing: the interval of the ratio holds 1', () => {
  const before = { ...steady(all), search: [1, 10] };
  const wide = named(checksOf(before, { ...steady(all), search: [2, 16] }), 'latency search');
  assert.equal(wide.verdict, 'same');
  assert.equal(
    wide.spared,
    'median ×1.64, fastest tenth ×1.79, over the ×1.50 of check.latencyRatio, and the interval of the median holds ×1; the interval of the fastest tenth holds ×1',
  );
  assert.equal(verdict({ ...steady(all), search: [2, 16] }, before), 'same');
});

test('an interval that ends at 1 holds it: neither slower nor faster is shown', () => {
  // A quarter of the resamples of two samples take the first alone.
  const [even, torn] = [
    { ...all, search: 10 },
    { ...steady(all), search: [10, 1000] },
  ];
  assert.equal(verdict(steady(even), torn), 'same');
  assert.equal(
    named(checksOf(steady(even), torn), 'latency search').spared,
    'median ×50.50, fastest tenth ×10.90, over the ×1.50 of check.latencyRatio, and the interval of the median holds ×1; the interval of the fastest tenth holds ×1',
  );
  assert.equal(verdict(torn, steady(even)), 'same');
  // Beyond 1 by less than nothing that counts, it is shown.
  assert.equal(verdict(steady(even), { ...torn, search: [16, 1000] }), 'worse');
  assert.equal(verdict({ ...torn, search: [16, 1000] }, steady(even)), 'better');
});

test('samples of all seeds count together, and a part that one run lacks is not checked', () => {
  const run = (seed: number, samples: Samples) => given({ seed, measures: { 'answer@20': [1, 0] }, samples });
  const before = [run(1, steady(all)), run(2, steady({ ...all, search: 30 }))];
  // Medians of 10 and 30 together: 20, then 30 and 30.
  const now = [run(1, steady({ ...all, search: 30 })), run(2, steady({ ...all, search: 30 }))];
  const { baseline, current } = named(check(before, now), 'latency search');
  assert.deepEqual([baseline, current], [20, 30]);
  const { search: _, ...without } = all;
  const lacking = check(before, [run(1, steady(all)), run(2, steady(without))]);
  assert.deepEqual(
    lacking.filter(({ name }) => name.startsWith('latency')).map(({ name }) => name),
    ['latency encode', 'latency total'],
  );
});

test('bytes: the largest index of the seeds, the growth in percent, and what is tolerated of it', () => {
  const sized = (...bytes: number[]) =>
    bytes.map((total, i) =>
      given({
        ...{ seed: i + 1, measures: { 'answer@20': [1, 0] } },
        index: { sizeBytes: { vectors: total, identifiers: 0, offsets: 0, total } },
      }),
    );
  const of = (before: number[], now: number[], sizeBytes = 0) =>
    named(check(sized(...before), sized(...now), { ...thresholds, sizeBytes }), 'size index');
  const { verdict: grown, baseline, current, unit, detail } = of([4000, 1000], [1000, 4100]);
  assert.deepEqual([grown, baseline, current, unit], ['worse', 4000, 4100, 'bytes']);
  assert.equal(detail, '4000 to 4100 bytes, +2.50 %');
  assert.equal(of([4000], [3900]).detail, '4000 to 3900 bytes, −2.50 %');
  assert.equal(of([4000], [4000]).detail, '4000 to 4000 bytes');
  const tolerated = (now: number) => of([4000], [now], 100);
  assert.deepEqual(
    [4100, 4101, 3900, 3899].map((now) => tolerated(now).verdict),
    ['same', 'worse', 'same', 'better'],
  );
  assert.equal(tolerated(4100).spared, 'grew by 100 bytes, no more than the 100 of check.sizeBytes');
  assert.deepEqual(
    [tolerated(4000).spared, tolerated(4101).spared, tolerated(3950).spared],
    [undefined, undefined, undefined],
  );
});
