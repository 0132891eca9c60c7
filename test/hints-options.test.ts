/** A hint names no option that the command does not have. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, test } from 'node:test';
import { type BenchError, fileError } from '../harness/errors.js';
import { offer } from '../harness/offered.js';
import { withLock } from '../harness/store/lock.js';
import { inTheWay } from '../harness/store/make-folder.js';
import { cli, passingFolder } from './places.js';

const root = passingFolder('hints');
const all = ['cache', 'out', 'no-wait', 'config'];
after(() => offer(all));

const failing = (code: string): BenchError =>
  fileError(Object.assign(new Error('no'), { code }), 'there') as BenchError;

test('what the store says of places and waiting names the options that the command has, and nothing where it has none', async () => {
  const hints = async (...options: string[]) => {
    offer(options);
    const lock = path.join(root, 'lock');
    const twice = () => withLock(lock, async () => assert.fail('taken twice'), 0);
    const locked = await withLock(lock, twice).catch((error: BenchError) => error);
    return [failing('ENOSPC'), failing('EROFS'), inTheWay('there'), locked].map(({ hint }) => hint!);
  };
  const named = (hint: string) => [...hint.matchAll(/--([a-z-]+)/g)].map(([, option]) => option!);
  for (const options of [[], ['cache'], ['out'], ['cache', 'out'], all]) {
    for (const hint of await hints(...options)) {
      assert.ok(
        named(hint).every((option) => options.includes(option)),
        `${options}: ${hint}`,
      );
      assert.ok(hint.length > 10 && hint.endsWith('.'), hint);
    }
  }
  const [full, readOnly, inWay] = await hints(...all);
  for (const hint of [full!, readOnly!, inWay!]) assert.deepEqual(named(hint), ['cache', 'out'], hint);
  const [alone] = await hints('out');
  assert.match(alone!, /^Free some space, or point --out at another disk\.$/);
  assert.equal((await hints())[0], 'Free some space.');
});

test('commands end with hints of their own options', { skip: process.platform !== 'linux' }, async () => {
  const run = path.join(root, 'a.run');
  await writeFile(run, 'q1 Q0 p1 1 2 tag\n');
  await mkdir(path.join(root, 'records'));
  // A place that takes no files.
  const place = '/proc/nope';
  const said = (...argv: string[]) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, ...argv], { cwd: root, encoding: 'utf8' });
    assert.equal(status, 3, stderr);
    return /^hint: (.*)$/m.exec(stderr)![1]!;
  };
  assert.equal(
    said('fuse', '--run', run, '--run', run, '--out', `${place}/x.run`),
    'Choose a place that you may write to with --out.',
  );
  assert.equal(
    said('run', '--arch', 'bm25', '--dataset', 'sample', '--cache', path.join(root, 'c'), '--out', place),
    'Choose a place that you may write to with --cache and --out.',
  );
});
