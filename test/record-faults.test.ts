/** Records that are refused, with the place of what is wrong. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { readRecord, writeRecord } from '../harness/record.js';
import { recordOf, sha256 } from './fixtures/record/run-record.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-record-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let written = 0;
function fileOf(text: string): string {
  const file = path.join(folder, `${written++}.json`);
  writeFileSync(file, text);
  return file;
}

const text = JSON.stringify(recordOf());
const edited = (edit: (record: Record<string, never>) => void) => {
  const record = JSON.parse(text);
  edit(record);
  return JSON.stringify(record);
};

// biome-ignore format: a table.
const bad: Record<string, [string, RegExp]> = {
  'cut short': [text.slice(0, 700), /not whole JSON/],
  'cut short at the end': [text.slice(0, -1), /not whole JSON/],
  nothing: ['', /not whole JSON/],
  'no JSON': ['qid Q0 a 1 1 tag', /not whole JSON/],
  'another kind of JSON': ['{"name":"x"}', /no run record: it has no schemaVersion/],
  'a list': ['[]', /no run record/],
  null: ['null', /no run record/],
  'a number': ['7', /no run record/],
  'a newer schema': [text.replace('"schemaVersion":1', '"schemaVersion":2'), /schema version 2; this bench reads version 1/],
  'an older schema': [text.replace('"schemaVersion":1', '"schemaVersion":0'), /schema version 0;/],
  'a schema version of another kind': [text.replace('"schemaVersion":1', '"schemaVersion":"1"'), /schema version "1";/],
  'NaN for a mean': [text.replace('"mean":0.75', '"mean":NaN'), /\$\.measures\["mrr@10"\]\.mean is NaN/],
  'NaN among values': [text.replace('[1,0.5]', '[1,NaN]'), /\$\.measures\["mrr@10"\]\.perQuery\[1\] is NaN/],
  infinity: [text.replace('"p99Ms":1.99', '"p99Ms":-Infinity'), /\$\.latency\.tokenize\.p99Ms is -Infinity/],
  'null for a mean': [text.replace('"mean":0.75', '"mean":null'), /\$\.measures\["mrr@10"\]\.mean must be number, not null/],
  'a missing field': [edited((record) => { delete record.dataset; }), /\$ lacks 'dataset'/],
  'a missing field inside': [text.replace('"split":"test",', ''), /\$\.dataset lacks 'split'/],
  'an unknown field': [text.replace('"split":"test"', '"split":"test","spilt":1'), /\$\.dataset must not have 'spilt'/],
  'a value per query too few': [text.replace('[1,0.5]', '[0.75]'), /perQuery has 1 values for 2 queries/],
  'a mean that is not the mean': [text.replace('"mean":0.75', '"mean":0.8'), /mean is 0\.8, and the mean of its values is 0\.75/],
  'a query twice': [text.replace('"queryIds":["q1","q2"]', '"queryIds":["q1","q1"]'), /\$\.queryIds must NOT have duplicate/],
  'rounds that are not those of the processes': [text.replace('"processes":2', '"processes":3'), /\$\.latency\.processes is 3, and there are 2 rounds/],
  'a sample of a cold start too many': [text.replace('"samplesMs":[9]', '"samplesMs":[9,1]'), /\$\.latency\.cold\[0\]\.samplesMs has 2 values for 1 queries/],
  'a sample of one thread too few': [text.replace('"samplesMs":[4]', '"samplesMs":[]'), /\$\.latency\.oneThread\.search\.samplesMs has 0 values for 1/],
  'a load of other queries': [text.replace('"clients":2,"queries":2', '"clients":2,"queries":3'), /\$\.latency\.load\.closed\[0\]\.samplesMs has 2 values for 3/],
  'a rate of 0': [text.replace('"ratePerSecond":50.5', '"ratePerSecond":0'), /\$\.latency\.load\.open\[0\]\.ratePerSecond/],
  'a sample too many': [text.replace('"samplesMs":[1,2]', '"samplesMs":[1,2,3]'), /\$\.latency\.tokenize\.samplesMs has 3 values for 2/],
  'an error in a record that is ok': [text.replace('"status":"ok"', '"status":"ok","error":{"code":"X","message":"y"}'), /\$\.error must not be there/],
  'a failed record without its error': [text.replace('"status":"ok"', '"status":"failed"'), /\$ lacks 'error'/],
  'a hash that is none': [text.replace(sha256, 'xyz'), /\$\.dataset\.files\[0\]\.sha256 must match/],
};

for (const [what, [content, message]] of Object.entries(bad)) {
  test(`a record is refused: ${what}`, async () => {
    assert.notEqual(content, text, 'the edit must change something');
    const file = fileOf(content);
    await assert.rejects(readRecord(file), (error) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.equal(error.code, 'RECORD_INVALID');
      assert.match(error.message, message);
      assert.ok(error.message.includes(file) && error.hint !== undefined);
      return true;
    });
  });
}

test('NaN as a word in a text is no fault', async () => {
  const record = { ...recordOf(), warnings: ['the loss was NaN, "Infinity" later'] };
  const file = path.join(folder, 'words.record.json');
  await writeRecord(file, record);
  assert.deepEqual(await readRecord(file), record);
  await assert.rejects(
    readRecord(fileOf(readFileSync(file, 'utf8').replace('"mean": 0.75', '"mean": NaN'))),
    /mean is NaN/,
  );
});

test('all faults of a record are named, many are counted', async () => {
  const content = edited((record) => {
    for (const key of ['seed', 'arch', 'stages']) delete record[key];
  });
  await assert.rejects(readRecord(fileOf(content)), /lacks 'seed'.*lacks 'arch'.*lacks 'stages'/s);
  await assert.rejects(readRecord(fileOf('{"schemaVersion":1}')), /and 4 more$/);
});

test('a measure cannot be called what every object has', async () => {
  for (const name of ['constructor', '__proto__', 'toString']) {
    const content = text.replace(/"measures":\{"[^"]+"/, `"measures":{"${name}"`);
    assert.notEqual(content, text);
    await assert.rejects(readRecord(fileOf(content)), { code: 'RECORD_INVALID' }, name);
  }
});

test('a record with a string of 30 MB, cut short or with a NaN behind it, is refused as any other is', async () => {
  const long = 'a\\n'.repeat(1e7);
  const refused = (content: string, message: RegExp) =>
    assert.rejects(readRecord(fileOf(content)), (error) => {
      assert.ok(error instanceof BenchError && error.code === 'RECORD_INVALID', String(error));
      assert.match(error.message, message);
      return true;
    });
  await refused(`{"name": "${long}`, /not whole JSON/);
  await refused(`{"name": "${long}", "mean": [NaN, "NaN"]}`, /\$\.mean\[0\] is NaN/);
});

test('a pipe is no record', async () => {
  if (process.platform === 'win32') return;
  const pipe = path.join(folder, 'pipe.record.json');
  execFileSync('mkfifo', [pipe]);
  await assert.rejects(readRecord(pipe), { code: 'PATH_INVALID', message: /is not a file/ });
  rmSync(pipe);
});
