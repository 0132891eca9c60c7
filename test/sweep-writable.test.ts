/** The folder of the records is tried before anything runs, and tidied of what a killed process left half-written. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { temporaryName } from '../harness/store/atomic.js';
import { assertWritable } from '../harness/sweep/recording.js';
import { removeClosed } from './open-files.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-writable-'));
after(() => removeClosed(folder));

test('a folder is made, and nothing is left in it', async () => {
  const deep = path.join(folder, 'a', 'b');
  await assertWritable(deep);
  assert.deepEqual(readdirSync(deep), []);
});

test('what is half-written is gone when it says so, what is whole stays', async () => {
  // Of a process that has long ended.
  const ended = temporaryName(path.join(folder, 'x.record.json')).replace(`${process.pid}-`, '999999999-');
  await writeFile(ended, '{');
  await writeFile(path.join(folder, 'y.record.json'), '{}');
  await assertWritable(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['a', 'y.record.json']);
});

test('a file in its place is refused', async () => {
  await assert.rejects(assertWritable(path.join(folder, 'y.record.json')), { code: 'PATH_INVALID' });
});
