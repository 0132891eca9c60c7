/** What is told of a process that worked for this one, however it ended. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { endOf } from '../harness/program/own-process.js';

test('a process that cannot be started has ended with the reason, and without a word', async () => {
  const child = fork('work.js', [], {
    execPath: path.join(import.meta.dirname, 'nowhere', 'node'),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const { last, ended, words } = await endOf(child, { order: {} });
  assert.equal(last, undefined);
  assert.match(ended, /ENOENT/);
  assert.equal(words, 'without a word');
});
