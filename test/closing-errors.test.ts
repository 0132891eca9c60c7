/** What is open is closed, once, and the first error is the one that is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closing, closingOnFailure } from '../harness/closing.js';

const opened = (fails?: 'at once' | 'later') => {
  const calls: string[] = [];
  const end = (name: string) => () => {
    calls.push(name);
    if (fails === 'at once') throw new Error('not closed');
    return fails === 'later' ? Promise.reject(new Error('not closed')) : undefined;
  };
  return { calls, file: { close: end('close') }, engine: { dispose: end('dispose') } };
};
const failing = async () => {
  throw new Error('the work');
};

test('what is open is closed behind the work, and told by its result', async () => {
  const { calls, file, engine } = opened();
  assert.equal(await closing(file, async () => calls.length), 0);
  assert.equal(await closing(engine, async () => calls.length), 1);
  assert.deepEqual(calls, ['close', 'dispose']);
  assert.equal(await closingOnFailure(file, async () => 3), 3);
  assert.equal(calls.length, 2);
});

test('work that fails is told as it failed, closed once, whatever closing comes to', async () => {
  for (const fails of [undefined, 'at once', 'later'] as const)
    for (const around of [closing, closingOnFailure]) {
      const { calls, file } = opened(fails);
      await assert.rejects(around(file, failing), /^Error: the work$/);
      assert.deepEqual(calls, ['close']);
    }
});

test('what cannot be closed behind work that went well is told, closed once', async () => {
  for (const fails of ['at once', 'later'] as const) {
    const { calls, engine } = opened(fails);
    await assert.rejects(
      closing(engine, async () => 1),
      /^Error: not closed$/,
    );
    assert.deepEqual(calls, ['dispose']);
  }
});
