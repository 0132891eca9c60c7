/** Scores of a teacher, collections and tables of prices at the first and last of what is taken. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { inspect } from '../harness/interchange/inspection.js';
import { readPrices } from '../harness/interchange/prices.js';
import { readTeacherScores } from '../harness/interchange/teacher-scores.js';
import { writtenFiles } from './written-files.js';

const { fileOf } = writtenFiles('strata-limits-');
const code = 'DATA_INVALID';
const refused = (work: Promise<unknown>, message: RegExp) => assert.rejects(work, { code, message });

test('scores of a teacher: three forms, each by its own columns; ranks are none', async () => {
  const read = async (text: string, fault?: string) => {
    const taken: unknown[] = [];
    const count = await readTeacherScores(fileOf(text), (...given) => {
      taken.push(given);
      return fault;
    });
    assert.equal(count, taken.length);
    return taken;
  };
  assert.deepEqual(await read('query passage score\nq a 2\nq b 1.5\n'), [
    ['q', 'a', 2],
    ['q', 'b', 1.5],
  ]);
  assert.deepEqual(await read('q Q0 a 1 0.5 tag\n'), [['q', 'a', 0.5]]);
  assert.deepEqual(await read('3 1 q a b\n'), [
    ['q', 'a', 3],
    ['q', 'b', 1],
  ]);
  await refused(read('q a\n'), /line 1: 2 columns/);
  await refused(read('q a 1 2\n'), /line 1: 4 columns/);
  await refused(read('q a 1 2 3 4 5\n'), /line 1: 7 columns/);
  await refused(read('q a 2\nq Q0 b 1 0.5 t\n'), /line 2: 6 columns, and 3 in the lines before/);
  await refused(read('q a 2\nq passage score\n'), /line 2: score 'score' is not a number/);
  await refused(read('q passage score\n'), /holds no scores/);
  await refused(read('q a 2\n', 'is no pair'), /line 1: is no pair/);
  await refused(read('q a 1\nq b 2\nr a 1\n'), /third column .* is 1 to n in each query/);
  // One hit of each query says nothing, and neither do numbers that begin otherwise.
  assert.equal((await read('q a 1\nr a 1\n')).length, 2);
  assert.equal((await read('q a 1\nq b 2\nr a 2\n')).length, 3);
  assert.equal((await read('q a 0\nq b 1\n')).length, 2);
});

test('a collection of any size is looked through: twins with both their places, and what it lacks', async () => {
  const look = (ids: readonly string[], asked: readonly string[] = []) =>
    inspect(
      async function* () {
        for (const [i, passageId] of ids.entries()) yield { passageId, place: i + 1 };
      },
      new Set(asked),
      (place) => `line ${place}`,
    );
  const many = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`);
  for (const count of [0, 1, 4096, 4097, 9000])
    assert.deepEqual(await look(many(count), ['z', 'p0', 'y']), {
      passageCount: count,
      absent: count === 0 ? ['z', 'p0', 'y'] : ['z', 'y'],
      starts: [],
    });
  for (const [ids, places] of [
    [['a', 'b', 'a'], 'line 1 and line 3'],
    [[...many(5000), 'p4999'], 'line 5000 and line 5001'],
    [['p0', ...many(5000)], 'line 1 and line 2'],
    [['a', 'b', 'b', 'b'], 'line 2 and line 3'],
  ] as const)
    await refused(look(ids), new RegExp(`Two passages have the id '\\w+': ${places}\\.`));
  await refused(look(['a', 'b c']), /line 2: the passage id "b c"/);
});

test('a table of prices is of 64 KiB at most', async () => {
  const table = '{"currency": "EUR", "gbMonth": 0, "vcpuHour": 1}';
  assert.deepEqual(await readPrices(fileOf(table.padEnd(65_536))), {
    currency: 'EUR',
    gbMonth: 0,
    vcpuHour: 1,
  });
  await refused(readPrices(fileOf(table.padEnd(65_537))), /has 65537 bytes/);
  for (const changed of ['"gbMonth": -1', '"gbMonth": 1e16', '"gbMonth": "1"'])
    await assert.rejects(readPrices(fileOf(table.replace('"gbMonth": 0', changed))), BenchError);
  await assert.rejects(readPrices(fileOf(table.replace('EUR', 'x'.repeat(13)))), BenchError);
  assert.equal((await readPrices(fileOf(table.replace('EUR', 'x'.repeat(12))))).currency.length, 12);
});
