/** What a worker has room for, what the parts of a run take, and what stands beside a measurement. */
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { machineNeeds } from '../harness/pipeline/memory-needs.js';
import { isEnough, needsText, offerText, parseOffer } from '../harness/tasks/offer.js';
import { Alone, Room } from '../harness/tasks/room.js';
import { tinyRequest } from './tiny-collection.js';

test('an offer is read as it is written, and what is no offer is refused by name', () => {
  assert.deepEqual(parseOffer('gpu=2,memory=60GiB,disk=1.5TiB'), {
    ...{ gpus: 2, memoryMiB: 61440, diskMiB: 1572864 },
  });
  assert.deepEqual(parseOffer('memory=512MiB'), { gpus: 0, memoryMiB: 512 });
  for (const [text, why] of [
    ['memory=60', /memory=60 is no size/],
    ['memory=60GB', /memory=60GB is no size/],
    ['gpu=-1', /gpu=-1 is no whole number/],
    ['gpu=1,gpu=1', /gpu stands there twice/],
    ['ram=1GiB', /'ram=1GiB' is none of/],
    ['', /'' is none of/],
  ] as const) {
    assert.throws(() => parseOffer(text), { code: 'USAGE', message: why });
  }
});

test('a worker holds what fits beside what it is at, and a full disk takes nothing', async () => {
  const room = new Room(parseOffer('gpu=1,memory=8GiB'));
  const needs = { device: 'gpu', memoryMiB: 5000, diskMiB: 100 } as const;
  assert.ok(room.couldHold(needs) && room.holds(needs));
  await room.with(needs, async () => {
    assert.ok(room.couldHold(needs));
    assert.ok(!room.holds(needs));
    assert.ok(!room.holds({ ...needs, memoryMiB: 1 }));
    assert.ok(room.holds({ ...needs, device: 'cpu', memoryMiB: 3000 }));
  });
  assert.ok(room.holds(needs));
  assert.ok(!room.couldHold({ ...needs, memoryMiB: 8193 }));
  room.isFull = true;
  assert.ok(!room.couldHold(needs));
  assert.deepEqual(
    [1, 2].map(() => room.left(needs)),
    [true, false].map((isNew) => ({ text: 'the disk is full', isNew })),
  );
  assert.ok(isEnough({}, { device: 'gpu', memoryMiB: 1e9, diskMiB: 1e9 }));
  assert.equal(needsText(needs), 'a GPU, 4.9 GiB of memory, 100.0 MiB of disk');
  assert.equal(offerText({ gpus: 0, diskMiB: 1 }), 'no GPU, any memory, 1.0 MiB of disk');
});

test('what is measured begins when all else has ended, and nothing else begins beside it', async () => {
  const alone = new Alone();
  const said: string[] = [];
  let end = () => {};
  const other = alone.beside(
    'a training',
    () =>
      new Promise<void>((resolve) => {
        end = resolve;
      }),
  );
  const failing = alone.beside('a shard', async () => {
    throw new Error('no memory');
  });
  void failing.catch(() => undefined);
  const measured = alone.with(
    (titles) => said.push(...titles),
    async () => said.push(alone.isTaken ? 'measured alone' : 'beside'),
  );
  assert.ok(alone.isTaken);
  await assert.rejects(failing);
  assert.deepEqual(said, ['a training', 'a shard']);
  end();
  await measured;
  await other;
  assert.deepEqual(said.slice(2), ['measured alone']);
  assert.ok(!alone.isTaken);
  // Nothing is in hand, and nothing is waited for.
  await alone.with(
    () => assert.fail('waits'),
    async () => undefined,
  );
});

test('what the parts of a run take follows from what they make', () => {
  const request = tinyRequest(tmpdir(), 'mlr', 1, 'encode.shardPassages=1000', 'encode.memoryMiB=100');
  const { search } = request.config;
  const means = {
    engine: { name: 'onnx', device: 'cpu', threads: 1 },
    vectors: { dimensions: 768, perPassage: 2, atMost: false },
    trained: { weights: 2 ** 20, shape: { ...request.config.model.scratch, maxTokens: 16 } },
  } as never;
  const { train, encode, cell } = machineNeeds(request, means, 21_000_000);
  // Weights, two moments, twice, and the checkpoint: 4 MiB each.
  assert.equal(train.diskMiB, 7 * 4);
  assert.ok(train.memoryMiB >= 5 * 4);
  // 1,000 passages x 2 x 768 x 4 bytes.
  assert.deepEqual(encode, { device: 'cpu', memoryMiB: 104, diskMiB: 6 });
  assert.deepEqual(cell, { device: 'cpu', memoryMiB: search.memoryMiB + 4, diskMiB: 1 });
  const built = machineNeeds(request, { ...(means as object), builder: 'faiss' } as never, 1000);
  assert.deepEqual(built.cell, { device: 'cpu', memoryMiB: search.memoryMiB + 10, diskMiB: 6 });
  const terms = machineNeeds(request, {}, null);
  assert.deepEqual(terms.cell, { device: 'cpu', memoryMiB: 1, diskMiB: 1 });
  const gpu = machineNeeds(request, { ...(means as object), engine: { device: 'webgpu' } } as never, null);
  assert.deepEqual(gpu.train, { device: 'gpu', memoryMiB: 20, diskMiB: 28 });
});
