/** The folder of the records is tried before anything runs, and tidied of what a killed process left half-written. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import fs, { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { silentProgress } from '../harness/progress.js';
import { temporaryName } from '../harness/store/atomic.js';
import { assertCacheTakes, assertFileTakes, assertFolderTakes } from '../harness/store/writable.js';
import { assertWritable } from '../harness/sweep/recording.js';
import { assertRunnable } from '../harness/sweep/runnable.js';
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

const denied = process.platform === 'linux' ? false : 'there is no /proc';

test('a place is tried without a folder being made, and nothing is left', async () => {
  const place = path.join(folder, 'tried');
  await mkdir(place);
  for (const target of [place, path.join(place, 'a', 'b')]) {
    await assertFolderTakes(target);
    await assertCacheTakes(target);
    await assertFileTakes(path.join(target, 'x.run'));
  }
  assert.deepEqual(readdirSync(place), []);
});

test('a file in the way, a folder for a file, and a file system that takes none are refused', {
  skip: denied,
}, async () => {
  const file = path.join(folder, 'in-the-way');
  await writeFile(file, 'x');
  for (const target of [file, path.join(file, 'a', 'b')])
    for (const takes of [assertFolderTakes, assertCacheTakes])
      await assert.rejects(takes(target), { code: 'PATH_INVALID', message: /a file is in its way/ });
  await assert.rejects(assertFileTakes(path.join(file, 'x.run')), { code: 'PATH_INVALID' });
  await assert.rejects(assertFileTakes(folder), { code: 'PATH_INVALID', message: /a folder has that name/ });
  for (const target of ['/proc/nope', '/proc'])
    await assert.rejects(assertFolderTakes(target), { code: 'NOT_WRITABLE', message: new RegExp(target) });
});

test('a pipe and a device are refused before the work, as they would be behind it', {
  skip: denied,
}, async () => {
  const pipe = path.join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const file of [pipe, '/dev/null'])
    await assert.rejects(assertFileTakes(file), { code: 'PATH_INVALID', message: `${file} is not a file.` });
});

test('a cache that is there and may only be read serves for what it holds; one that is not there cannot be made', {
  skip: denied,
}, async () => {
  await assertCacheTakes('/proc');
  await assert.rejects(assertCacheTakes('/proc/nope'), { code: 'NOT_WRITABLE' });
});

test('a disk that is full is said to be before it is written to', {
  skip: existsSync('/dev/full') ? false : 'there is no /dev/full',
}, async (t) => {
  // What is opened there is full.
  const { open } = fs;
  t.mock.method(fs, 'open', (_file: string, flags: string) => open('/dev/full', flags.replace('wx', 'w')));
  syncBuiltinESMExports();
  try {
    await assert.rejects(assertFolderTakes(folder), { code: 'DISK_FULL' });
    await assert.rejects(assertCacheTakes(folder), { code: 'DISK_FULL' });
  } finally {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  }
});

test('a sweep tries its folders before it looks into any dataset', async () => {
  const file = path.join(folder, 'no-folder');
  await writeFile(file, 'x');
  for (const place of ['cache', 'out']) {
    const config = loadConfig({ cwd: folder, flags: { [place]: file } });
    // A dataset that cannot be opened.
    const request = { architecture: 'bm25', dataset: 'squad', data: folder, offline: true, seed: 1, config };
    const refused = assertRunnable([request], silentProgress());
    await assert.rejects(refused, { code: 'PATH_INVALID', message: /no-folder cannot be made/ }, place);
  }
});
