/** Two commands that need the same: the second waits for the first, or says that it does not. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { ownerText } from '../harness/store/owner.js';
import { cli } from './places.js';
import { writeTinyCollection } from './tiny-collection.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-waiting-'));
after(() => rmSync(folder, { recursive: true }));
const negatives = path.join(folder, '.bench', 'negatives');
let lock: string;

const mine = [cli, 'mine', '--with', 'bm25', '--dataset', 'beir', '--data', 'data'];

/** A command that needs what this process holds. */
function begin(...more: string[]) {
  const child = spawn(process.execPath, [...mine, ...more], { cwd: folder });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  child.stdout.resume();
  const isTold = async () => {
    while (!stderr.includes('waiting for it to end')) {
      assert.equal(child.exitCode, null, stderr);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { child, isTold, exit: once(child, 'exit'), told: () => stderr };
}

/** As if this process were about to make the artifact. */
function hold(): void {
  rmSync(path.join(path.dirname(lock), 'manifest.json'));
  writeFileSync(lock, ownerText());
}

before(async () => {
  await writeTinyCollection(path.join(folder, 'data'));
  const { status, stderr } = spawnSync(process.execPath, mine, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  lock = path.join(negatives, readdirSync(negatives)[0]!, 'lock');
});

test('the second waits, says for whom, and goes on when the first has ended', async () => {
  hold();
  const { isTold, exit, told } = begin();
  await isTold();
  assert.match(
    told(),
    new RegExp(`Process ${process.pid} is working on .*${path.basename(path.dirname(lock))}, since \\d{4}-`),
  );
  rmSync(lock);
  assert.deepEqual(await exit, [0, null], told());
});

test('Ctrl-C ends the wait, and what is held stays held', async () => {
  hold();
  const { child, isTold, exit, told } = begin();
  await isTold();
  child.kill('SIGINT');
  assert.deepEqual(await exit, [130, null], told());
  assert.match(told(), /error INTERRUPTED/);
  rmSync(lock);
  spawnSync(process.execPath, mine, { cwd: folder });
});

test('with --no-wait it is refused, with exit code 3', async () => {
  hold();
  const { exit, told } = begin('--no-wait');
  assert.deepEqual(await exit, [3, null], told());
  assert.match(
    told(),
    new RegExp(`error LOCKED: Process ${process.pid} is working on .*\\nhint: Wait for it`),
  );
  rmSync(lock);
});
