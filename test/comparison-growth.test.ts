/** Collections that grow, in reports: what was measured by size, and what is projected and by which law. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growthOf, lawOf } from '../harness/comparison/growth.js';
import { assertRecord } from '../harness/record/validate.js';
import type { StoredRecord } from '../harness/record.js';
import { type MadeRecord, madeRecord } from './made-records.js';
import { prepare, render } from './made-reports.js';

/** A record of the made dataset with so many distractors; undefined stands for the dataset as it is. */
function grownTo(
  count: number | undefined,
  request: MadeRecord = {},
  from: string | null = 'other',
): StoredRecord {
  const record = madeRecord({
    ...{ lift: 0.1 - 1e-6 * (count ?? 0), slower: 1 + (count ?? 0) / 10_000, ...request },
    sizeBytes: 512 * (1000 + (count ?? 0)) + 100,
  });
  const { arch, seed, dataset } = record;
  const file = `made-${arch.name}-${seed}-${count ?? 'plain'}.record.json`;
  if (count === undefined) return { file, record };
  const source = from === null ? null : { name: from, version: '3', files: [] };
  return {
    file,
    record: {
      ...record,
      dataset: {
        ...dataset,
        name: `made + ${count} of ${from ?? 'its own'}`,
        version: `${dataset.version} + ${count}`,
        passageCount: 1000 + count,
        distractors: {
          ...{ count, from: source, to: { name: 'made', version: dataset.version } },
          ...{ basePassages: 1000, leftOut: { relevantIds: 1, sameTexts: 0 } },
        },
      },
    },
  };
}

const sizes = [undefined, 9000, 99_000];

test('a row for each size, the dataset as it is among them, and a projected one with the law it stands on', () => {
  const records = sizes.flatMap((count) => [1, 2].map((seed) => grownTo(count, { seed })));
  for (const { record } of records) assertRecord(JSON.parse(JSON.stringify(record)), 'made');
  const [growth, ...others] = growthOf(records);
  assert.equal(others.length, 0);
  assert.equal(growth!.from, 'other');
  assert.equal(growth!.dataset.name, 'made');
  const [system] = growth!.systems;
  assert.deepEqual(
    system!.points.map(({ passages, distractors, seeds }) => [passages, distractors, seeds]),
    [
      [1000, 0, [1, 2]],
      [10_000, 9000, [1, 2]],
      [100_000, 99_000, [1, 2]],
    ],
  );
  const ids = growth!.columns.map(({ id }) => id);
  assert.ok(ids.includes('mrr@10') && ids.includes('index-bytes') && ids.includes('search-ms'));
  // What does not change with the size, and what is no measurement.
  assert.ok(!ids.includes('vectors-per-passage') && !ids.includes('projected-bytes'));
  const accuracies = system!.points.map(({ cells }) => cells['mrr@10']!.value);
  assert.ok(accuracies[0]! > accuracies[2]!);
  // Times were made as 0.9 + N / 10,000 of one another.
  const { law, projected } = system!;
  assert.ok(law !== undefined && 'r2' in law && law.refused === undefined, JSON.stringify(law));
  const [first, , last] = system!.points.map(({ cells }) => cells['search-ms']!.value);
  const slope = (last! - first!) / 99_000;
  assert.ok(Math.abs(law.msPerPassage - slope) < 1e-9 * slope);
  assert.equal(projected!.passages, 21_015_324);
  assert.equal(projected!.bytes, 21_015_324 * 512);
  assert.ok(Math.abs(projected!.searchMs!.value - (first! + slope * (21_015_324 - 1000))) < 1e-6);
  assert.ok(projected!.searchMs!.interval.low > 0.99 * projected!.searchMs!.value);
  assert.match(growth!.notes[0]!, /R² 1\.0000, residuals .*210 times the largest size measured/);
});

test('a law that does not hold projects no time, and says why', () => {
  const at = (...ms: number[]) => ms.map((each, i) => ({ passages: 10_000 * 10 ** i, ms: each }));
  const cases: [given: [Parameters<typeof lawOf>[0], boolean], message: RegExp | undefined][] = [
    [[at(1.1, 2, 11), true], undefined],
    [[at(1, 2), true], /2 sizes were timed, and a law needs 3/],
    [[at(1, 2, 11), false], /different devices/],
    [[[10, 20, 30].map((passages) => ({ passages, ms: passages })), true], /3\.0 times the smallest/],
    // A graph's search grows as the logarithm of N.
    [[at(1, 2, 3), true], /R² 0\.\d{3} is below 0\.99/],
    [[at(3, 2, 1), true], /did not take longer/],
    [[at(2, 2, 2), true], /same time/],
    // Three sizes leave one degree of freedom, and R2 of 0.992 is little there.
    [
      [
        [
          { passages: 10_000, ms: 10 },
          { passages: 30_000, ms: 18.4 },
          { passages: 50_000, ms: 30 },
        ],
        true,
      ],
      /its 95 % interval at 21,015,324 passages reaches 0/,
    ],
    // The large size alone decides R2: the line misses the others.
    [[at(1, 1, 40), true], /misses a size by \d+ %/],
  ];
  for (const [given, message] of cases) {
    const law = lawOf(given[0], 21_015_324, given[1]);
    if (message === undefined) assert.equal(law.refused, undefined, JSON.stringify(law));
    else assert.match(law.refused!, message);
  }
  // Each bound is still within.
  const exact = [10_000, 20_000, 40_000].map((passages) => ({ passages, ms: passages / 10_000 }));
  assert.equal(lawOf(exact, 50_000, true).refused, undefined);
  const short = exact.with(2, { passages: 39_900, ms: 3.99 });
  assert.match(lawOf(short, 50_000, true).refused!, /4\.0 times the smallest, and a law needs 4$/);
  const [growth] = growthOf([undefined, 9000].map((count) => grownTo(count)));
  assert.equal(growth!.systems[0]!.projected!.searchMs, undefined);
  assert.equal(growth!.systems[0]!.projected!.bytes, 21_015_324 * 512);
  assert.match(growth!.notes[0]!, /no search time is projected: 2 sizes were timed/);
});

test('bytes are projected from the largest size, the mean over its seeds, and sizes stand in their order', () => {
  const sized = (count: number | undefined, seed: number, projectedBytes: number): StoredRecord => {
    const { file, record } = grownTo(count, { seed });
    return { file, record: { ...record, index: { ...record.index!, projectedBytes } } };
  };
  const records = [sized(9000, 1, 70), sized(9000, 2, 73), sized(undefined, 1, 10), sized(undefined, 2, 20)];
  const [growth] = growthOf(records);
  const [system] = growth!.systems;
  assert.deepEqual(
    system!.points.map(({ distractors, seeds }) => [distractors, seeds]),
    [
      [0, [1, 2]],
      [9000, [1, 2]],
    ],
  );
  assert.equal(system!.projected!.bytes, 72);
});

test('two states of a program that ran the same sizes are two systems, and a run that failed is no size', () => {
  const twice = [undefined, 9000].flatMap((count) => [grownTo(count), { ...grownTo(count), file: 'again' }]);
  const [growth] = growthOf(twice);
  assert.deepEqual(
    growth!.systems.map(({ points }) => points.map(({ distractors }) => distractors)),
    [
      [0, 9000],
      [0, 9000],
    ],
  );
  const failed = grownTo(99_000, { status: 'failed' });
  assert.equal(
    growthOf([undefined, 9000].map((count) => grownTo(count)).concat(failed))[0]!.systems[0]!.points.length,
    2,
  );
  assert.deepEqual(growthOf([grownTo(9000), failed]), []);
});

test('distractors of two datasets, and of its own, are growths of their own; one size is none', () => {
  const all = [
    ...sizes.map((count) => grownTo(count)),
    ...[9000, 99_000].map((count) => grownTo(count, {}, 'third')),
    ...[0, 500].map((count) => grownTo(count, {}, null)),
  ];
  assert.deepEqual(
    growthOf(all).map(({ from, systems }) => [
      from,
      systems[0]!.points.map(({ distractors }) => distractors),
    ]),
    [
      ['other', [0, 9000, 99_000]],
      ['third', [0, 9000, 99_000]],
      [null, [0, 500]],
    ],
  );
  assert.deepEqual(growthOf([grownTo(9000)]), []);
  assert.deepEqual(growthOf([grownTo(undefined)]), []);
  // Of another version of the dataset.
  assert.deepEqual(growthOf([grownTo(undefined, { version: '2' }), grownTo(9000)]), []);
});

test('sizes are sections of their own, and the table and the picture stand before them', async () => {
  const records = sizes.flatMap((count) => [
    grownTo(count),
    grownTo(count, { arch: 'mlr-sc', lift: 0.2 - 1e-6 * (count ?? 0), slower: 2 + (count ?? 0) / 20_000 }),
  ]);
  const report = await prepare(records);
  assert.deepEqual(
    report.sections.map(({ dataset, comparisons }) => [dataset.name, comparisons.length]),
    [
      ['made', 1],
      ['made + 9000 of other', 1],
      ['made + 99000 of other', 1],
    ],
  );
  const markdown = await render('markdown', report);
  assert.ok(markdown.startsWith('## As the collection grows: made, test, with passages of other'));
  assert.match(markdown, /\| dual-encoder \| 100,000 \| measured \|/);
  assert.match(markdown, /\| mlr-sc \| 21,015,324 \| projected \|/);
  const html = await render('html', report);
  assert.match(html, /<h2>As the collection grows<\/h2>/);
  assert.match(html, /search ms as the collection grows: measured/);
  assert.equal((JSON.parse(await render('json', report)) as { growth: unknown[] }).growth.length, 1);
});

/** As another state of the program would have left it. */
const of = (commit: string, { file, record }: StoredRecord): StoredRecord => ({
  file: `${commit}-${file}`,
  record: { ...record, device: { ...record.device, git: { commit, dirty: false } } },
});

test('sizes that two states of the program have run are joined by the state, and no law holds over both', () => {
  const [first, second] = ['a', 'b'].map((commit) =>
    sizes.map((count) => of(commit.repeat(40), grownTo(count, { slower: commit === 'a' ? 1 : 3 }))),
  ) as [StoredRecord[], StoredRecord[]];
  // Whichever comes first in a size.
  const mixed = [first[0]!, second[0]!, second[1]!, first[1]!, first[2]!, second[2]!];
  const [growth] = growthOf(mixed);
  const ms = ({ points }: { points: readonly { cells: Record<string, { value: number }> }[] }) =>
    points.map(({ cells }) => cells['search-ms']!.value);
  const alone = [first, second].map((records) => ms(growthOf(records)[0]!.systems[0]! as never));
  assert.deepEqual(
    growth!.systems.map((system) => ms(system as never)),
    alone,
  );
  // Each size once: there is nothing to tell apart, and what is said of them is no law.
  const [joined] = growthOf([first[0]!, first[1]!, second[2]!]);
  assert.equal(joined!.systems.length, 1);
  assert.match(joined!.systems[0]!.law!.refused!, /^the sizes were run by different states of the program$/);
});
