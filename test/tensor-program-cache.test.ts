/** Programs that were used last are kept, the others let go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Program } from '../harness/tensor/engine.js';
import { ProgramCache } from '../harness/tensor/program-cache.js';

test('as many as there is room for, those that were used last', async () => {
  const [compiled, disposed]: string[][] = [[], []];
  const cache = new ProgramCache(2);
  const get = (key: string) =>
    cache.get(key, async () => {
      compiled!.push(key);
      return { dispose: async () => void disposed!.push(key) } as unknown as Program;
    });
  const first = await get('a');
  await get('b');
  assert.equal(await get('a'), first, 'the same program again');
  assert.deepEqual([compiled, disposed], [['a', 'b'], []]);
  // b was used longest ago.
  await get('c');
  assert.deepEqual([compiled, disposed], [['a', 'b', 'c'], ['b']]);
  await get('a');
  await get('b');
  assert.deepEqual(compiled, ['a', 'b', 'c', 'b']);
  assert.deepEqual(disposed, ['b', 'c']);
  await cache.dispose();
  assert.deepEqual(disposed!.sort(), ['a', 'b', 'b', 'c']);
  await cache.dispose();
  assert.equal(disposed!.length, 4, 'nothing is let go twice');
  await get('a');
  assert.deepEqual(compiled, ['a', 'b', 'c', 'b', 'a']);
});

test('what could not be compiled is not kept, and hinders no other', async () => {
  const cache = new ProgramCache(1);
  const refused = () => Promise.reject(new Error('no memory'));
  await assert.rejects(cache.get('a', refused), /no memory/);
  let disposed = 0;
  const program = { dispose: async () => void disposed++ } as unknown as Program;
  assert.equal(await cache.get('a', async () => program), program);
  await assert.rejects(cache.get('b', refused), /no memory/);
  assert.equal(disposed, 1);
  await cache.get('a', async () => program);
  await cache.dispose();
  assert.equal(disposed, 2);
});
