import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import fs, { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { BenchError, fileError } from '../harness/errors.js';
import { AtomicFile, putInPlace, temporaryName, writeAtomic, writeJson } from '../harness/store/atomic.js';
import { makeFolder } from '../harness/store/make-folder.js';
import { isRunning } from '../harness/store/owner.js';
import { removePartials } from '../harness/store/partials.js';
import { removeClosed } from './open-files.js';
import { ownerOf } from './other-owners.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-atomic-'));
});
afterEach(() => removeClosed(folder));

test('nothing stands under the name before commit', async () => {
  const target = path.join(folder, 'new', 'file');
  const file = await AtomicFile.create(target);
  await file.write('abc');
  await file.write(Uint8Array.of(100, 101));
  assert.equal(file.sizeBytes, 5);
  assert.ok(!existsSync(target));
  await file.commit();
  assert.equal(await readFile(target, 'utf8'), 'abcde');
  assert.deepEqual(await readdir(path.dirname(target)), ['file']);
});

test('an earlier place can be overwritten without moving the end', async () => {
  const file = await AtomicFile.create(path.join(folder, 'file'));
  await file.write('....data');
  await file.write('head', 0);
  await file.write('!');
  assert.equal(file.sizeBytes, 9);
  await file.commit();
  assert.equal(await readFile(path.join(folder, 'file'), 'utf8'), 'headdata!');
});

test('giving up leaves what was there before', async () => {
  const target = path.join(folder, 'file');
  await writeAtomic(target, 'old');
  const file = await AtomicFile.create(target);
  await file.write('new');
  await file.abort();
  assert.equal(await readFile(target, 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['file']);
});

test('JSON is indented and ends with a newline', async () => {
  await writeJson(path.join(folder, 'a.json'), { a: [1] });
  assert.equal(await readFile(path.join(folder, 'a.json'), 'utf8'), '{\n  "a": [\n    1\n  ]\n}\n');
});

test('a killed process leaves a partial file only, and that is cleared away', async () => {
  const program = pathToFileURL(path.join(import.meta.dirname, '../harness/store/atomic.js')).href;
  const target = path.join(folder, 'file');
  const script = `import { AtomicFile } from ${JSON.stringify(program)};
    const file = await AtomicFile.create(${JSON.stringify(target)});
    await file.write('half');
    process.kill(process.pid, 'SIGKILL');`;
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', script]).signal, 'SIGKILL');
  const left = await readdir(folder);
  assert.equal(left.length, 1);
  assert.ok(left[0]?.startsWith('file.partial-'));
  await writeFile(path.join(folder, 'kept'), '');
  await writeFile(path.join(folder, `living.partial-${ownerOf(process.ppid)}-0`), '');
  await removePartials(folder);
  assert.deepEqual((await readdir(folder)).sort(), ['kept', `living.partial-${ownerOf(process.ppid)}-0`]);
  await removePartials(path.join(folder, 'absent'));
});

test('a file that cannot be replaced fails and leaves no partial', async () => {
  const target = path.join(folder, 'taken');
  await writeAtomic(path.join(target, 'inside'), '');
  await assert.rejects(writeAtomic(target, 'x'));
  assert.deepEqual(await readdir(folder), ['taken']);
});

test('what a library wrote is put in its place, or goes where it cannot be', async () => {
  const target = path.join(folder, 'index');
  const temporary = temporaryName(target);
  await writeFile(temporary, 'new');
  await writeFile(target, 'old');
  await putInPlace(temporary, target);
  assert.equal(readFileSync(target, 'utf8'), 'new');
  assert.deepEqual(readdirSync(folder), ['index']);
  const taken = path.join(folder, 'taken');
  await writeAtomic(path.join(taken, 'inside'), '');
  const other = temporaryName(taken);
  await writeFile(other, 'new');
  await assert.rejects(putInPlace(other, taken));
  assert.deepEqual(readdirSync(folder).sort(), ['index', 'taken']);
});

test('the system errors a user can act on become ours', () => {
  const of = (code: string) => fileError(Object.assign(new Error(code), { code }), '/some/file');
  for (const [code, ours] of [
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EACCES', 'NOT_WRITABLE'],
    ['EROFS', 'NOT_WRITABLE'],
  ] as const) {
    const error = of(code);
    assert.ok(error instanceof BenchError);
    assert.equal(error.code, ours);
    assert.match(error.message, /\/some\/file/);
    assert.ok(error.hint);
  }
  assert.ok(!(of('EIO') instanceof BenchError));
});

test('a process that runs and one that has ended are told apart', () => {
  assert.ok(isRunning(process.pid));
  assert.ok(!isRunning(spawnSync(process.execPath, ['-e', '']).pid));
});

test('what is no file is not written over: a device would be gone', async () => {
  if (process.platform === 'win32') return;
  const pipe = path.join(folder, 'pipe');
  spawnSync('mkfifo', [pipe]);
  for (const target of [pipe, folder])
    await assert.rejects(writeAtomic(target, 'a'), { code: 'PATH_INVALID', message: /is not a file/ });
  assert.deepEqual(await readdir(folder), ['pipe']);
});

test('what was removed before it was whole is told of, whichever way it was to get its name', async () => {
  for (const way of ['commit', 'commitFirst'] as const) {
    const target = path.join(folder, way);
    const file = await AtomicFile.create(target);
    await file.write('x');
    for (const name of await readdir(folder)) await rm(path.join(folder, name));
    await assert.rejects(file[way](), (error) => {
      assert.ok(error instanceof BenchError && error.code === 'LOCKED', `${way}: ${error}`);
      assert.match(error.message, /was removed before it was whole/);
      return true;
    });
    assert.deepEqual(await readdir(folder), []);
  }
});

test('where the file system has no links the first gets its name all the same, and other faults are told', async () => {
  const { rename } = fs;
  let fault = 'EPERM';
  mock.method(fs, 'link', async () => {
    throw Object.assign(new Error(fault), { code: fault });
  });
  // Whoever does not wait for it finds nothing.
  mock.method(fs, 'rename', async (from: string, to: string) => {
    await setTimeout(50);
    await rename(from, to);
  });
  syncBuiltinESMExports();
  try {
    for (fault of ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL']) {
      const file = await AtomicFile.create(path.join(folder, fault));
      await file.write(fault);
      assert.equal(await file.commitFirst(), true);
      assert.equal(readFileSync(path.join(folder, fault), 'utf8'), fault);
    }
    for (const [code, seen] of [
      ['EEXIST', false],
      ['EIO', 'EIO'],
      ['EACCES', 'NOT_WRITABLE'],
    ] as const) {
      fault = code;
      const file = await AtomicFile.create(path.join(folder, code));
      await file.write('x');
      assert.equal(await file.commitFirst().catch((error) => error.code), seen);
      assert.equal(existsSync(path.join(folder, code)), false);
    }
    assert.equal((await readdir(folder)).length, 5, 'and nothing else is left');
  } finally {
    mock.restoreAll();
    syncBuiltinESMExports();
  }
});

test('a folder where the file system takes none is refused, and not asked for for ever', {
  skip: process.platform === 'linux' ? false : 'there is no /proc',
}, async () => {
  for (const folder of ['/proc/nope', '/proc/nope/below'])
    await assert.rejects(makeFolder(folder), { code: 'NOT_WRITABLE' });
});
