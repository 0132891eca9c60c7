/** The file of a baseline: what is written comes back, and what is no baseline is refused by what it lacks. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { readBaseline, readBaselineIfAny, writeBaseline } from '../harness/regression.js';
import { stored } from './made-records.js';
import { passingFolder } from './places.js';

const folder = passingFolder('baseline');
const records = [stored({ seed: 1 }), stored({ seed: 2 }), stored({ arch: 'mlr' })];

test('records come back in their order, a line each, under the name of the file and their number', async () => {
  const file = path.join(folder, 'baseline.json');
  await writeBaseline(file, records);
  const lines = (await readFile(file, 'utf8')).split('\n');
  assert.equal(lines.length, records.length + 3);
  assert.deepEqual([lines[0], lines.at(-2), lines.at(-1)], ['{"baselineVersion":1,"records":[', ']}', '']);
  assert.deepEqual(
    await readBaseline(file),
    records.map(({ record }, i) => ({ file: `${file}, record ${i + 1}`, record })),
  );
  assert.deepEqual(await readBaselineIfAny(file), { records: await readBaseline(file) });
});

test('what is no baseline is refused, and told where it is to be replaced', async () => {
  const file = path.join(folder, 'other.json');
  const whole = { baselineVersion: 1, records: [records[0]!.record] };
  const damaged: [string, RegExp][] = [
    [JSON.stringify({ ...whole, records: [] }), /is no baseline of version 1: baselineVersion is 1/],
    [JSON.stringify({ ...whole, records: { length: 1 } }), /is no baseline of version 1/],
    [JSON.stringify({ ...whole, records: undefined }), /is no baseline of version 1/],
    [JSON.stringify({ ...whole, baselineVersion: 2 }), /baselineVersion is 2\./],
    [JSON.stringify({ ...whole, baselineVersion: '1' }), /baselineVersion is "1"/],
    ['null', /baselineVersion is undefined/],
    [JSON.stringify(whole).slice(0, -9), /is not whole JSON/],
    [JSON.stringify({ ...whole, records: [records[0]!.record, {}] }), /record 2/],
  ];
  for (const [text, message] of damaged) {
    await writeFile(file, text);
    const error = (await readBaseline(file).catch((reason: unknown) => reason)) as BenchError;
    assert.equal(error.code, 'RECORD_INVALID', text.slice(0, 80));
    assert.match(error.message, message);
    assert.deepEqual(await readBaselineIfAny(file), {
      records: [],
      note: `the old baseline could not be used: ${error.message}`,
    });
  }
  await writeFile(file, JSON.stringify(whole));
  assert.equal((await readBaseline(file)).length, 1);
});

test('a baseline that is not there yet is none; a folder in its place is refused', async () => {
  const absent = path.join(folder, 'absent.json');
  await assert.rejects(readBaseline(absent), {
    code: 'PATH_INVALID',
    message: /There is no baseline .* yet/,
  });
  assert.deepEqual(await readBaselineIfAny(absent), { records: [] });
  const below = path.join(folder, 'below');
  await mkdir(below);
  for (const read of [readBaseline, readBaselineIfAny])
    await assert.rejects(read(below), { code: 'PATH_INVALID' });
});
