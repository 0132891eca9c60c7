/** Ratios of latencies: of which samples, paired or not, and what is said beside them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareRecords } from '../harness/comparison/compare.js';
import { samplesOf } from '../harness/comparison/latency.js';
import { bootstrapRatio } from '../harness/statistics/bootstrap.js';
import { type Given, given } from './given-records.js';

const run = (arch: string, more: Partial<Given> = {}) =>
  given({ arch, measures: { 'mrr@10': [1, 0] }, samples: { search: [2, 4], total: [10, 10] }, ...more });
const turns = (...interleavedWith: string[]) => ({ latency: { interleavedWith } });
const compared = (...records: Parameters<typeof compareRecords>[0]) => compareRecords(records)[0]!;

test('a ratio is the median of the candidate over that of the baseline, of the parts that both have', () => {
  const { latency } = compared(
    run('dual-encoder', { samples: { tokenize: [1, 1], search: [2, 4], total: [10, 10] } }),
    run('mlr', { samples: { encode: [1, 1], search: [6, 12], total: [15, 15] } }),
  );
  assert.deepEqual(
    latency.map(({ part, ratio }) => [part, ratio]),
    [
      ['search', 3],
      ['total', 1.5],
    ],
  );
});

test('a part that some run has no sample of has none, nor has one whose runs are of several devices', () => {
  const system = (...runs: Parameters<typeof compareRecords>[0]) => ({ name: 'mlr', runs });
  const search = (seed: number, samples: number[], more: Partial<Given> = {}) =>
    run('mlr', { seed, samples: { search: samples, total: [1] }, ...more });
  assert.deepEqual(samplesOf(system(search(1, [2]), search(2, [4, 3])), 'search'), [2, 4, 3]);
  assert.equal(samplesOf(system(search(1, [2]), search(2, [])), 'search'), undefined);
  assert.equal(samplesOf(system(search(1, []), search(2, [])), 'search'), undefined);
  assert.equal(samplesOf(system(search(1, [2])), 'encode'), undefined);
  const elsewhere = search(2, [4], { machine: { cpu: 'Another' } });
  assert.equal(samplesOf(system(search(1, [2]), elsewhere), 'search'), undefined);
});

test('samples of the same queries in the same order are paired, all seeds and rounds taken together', () => {
  const search = (...samples: number[]) => ({ samples: { search: samples, total: [1, 1] } });
  const of = (a: Partial<Given>, b: Partial<Given>) => {
    const [first] = compared(run('dual-encoder', a), run('mlr', b)).latency;
    return first!;
  };
  // Each query takes three times as long: paired, every resample says so.
  const paired = of(search(1, 10), search(3, 30));
  assert.deepEqual([paired.paired, paired.ratio, paired.interval], [true, 3, { low: 3, high: 3 }]);
  const { low, high } = bootstrapRatio([1, 10], [3, 30], { paired: false }).interval;
  const turned = of(search(1, 10), { ...search(3, 30), latency: { queryIds: ['q1', 'q0'] } });
  assert.deepEqual([turned.paired, turned.interval], [false, { low, high }]);
  const twice = { samples: { search: [1, 10, 1, 10], total: [1, 1] }, latency: { rounds: 2 } };
  assert.equal(of(search(1, 10), twice).paired, false);
  assert.equal(of(twice, twice).paired, true);
});

test('systems that did not take turns are said to be timed apart, by their names and settings', () => {
  const apart = ['timed in separate runs: what else the machine did is in the ratios'];
  const notes = (a: string[], b: string[], candidate = 'mlr') =>
    compared(run('dual-encoder', turns(...a)), run(candidate, turns(...b))).latencyNotes;
  assert.deepEqual(notes(['mlr'], ['dual-encoder']), []);
  assert.deepEqual(notes(['mlr (M=2)'], ['dual-encoder [a file]']), []);
  assert.deepEqual(notes([], []), apart);
  assert.deepEqual(notes(['mlr'], []), apart);
  // A name that only begins alike is another system's.
  assert.deepEqual(notes(['mlr-sc'], ['dual-encoder']), apart);
  assert.deepEqual(notes(['me-bert'], ['dual-encoder']), apart);
});

test('what has no latencies, another device and a clock that is too coarse stand with the reason', () => {
  const bare = given({ arch: 'mlr', measures: { 'mrr@10': [1, 0] } });
  const none = compared(run('dual-encoder', turns('mlr')), bare);
  assert.deepEqual([none.latency, none.latencyNotes], [[], ['mlr has no latencies']]);
  const both = compared(given({ measures: { 'mrr@10': [1, 0] } }), bare);
  assert.deepEqual(both.latencyNotes, ['dual-encoder has no latencies', 'mlr has no latencies']);
  const elsewhere = compared(run('dual-encoder'), run('mlr', { machine: { availableCores: 1 } }));
  assert.deepEqual(elsewhere.latencyNotes, [
    'latencies of different devices are not compared: cores in use 2 and 1',
  ]);
  // A second seed on another machine is no less another device.
  const seeds = compareRecords([
    ...[1, 2].map((seed) => run('dual-encoder', { seed })),
    ...[1, 2].map((seed) => run('mlr', { seed, machine: { cores: seed + 1 } })),
  ])[0]!;
  assert.deepEqual([seeds.latency, seeds.latencyNotes.length], [[], 1]);
  const coarse = compared(
    run('dual-encoder', turns('mlr')),
    run('mlr', { ...turns('dual-encoder'), samples: { search: [0, 1], total: [1, 1] } }),
  );
  assert.deepEqual(
    coarse.latency.map(({ part }) => part),
    ['total'],
  );
  assert.match(coarse.latencyNotes.join(), /^search is left out: Number 1 of the candidate's values is 0/);
});
