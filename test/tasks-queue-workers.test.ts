/** What workers of a queue take, and what they leave to others: by their room, by their disk, by who holds a task. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { machineNeeds } from '../harness/pipeline/machine-needs.js';
import { computeClass } from '../harness/program/compute-class.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import { Alone } from '../harness/tasks/alone.js';
import type { TaskChildren } from '../harness/tasks/children.js';
import { isEnough, needsText, offerText, parseOffer } from '../harness/tasks/offer.js';
import { openQueue, type Said, type TaskQueue } from '../harness/tasks/queue.js';
import { workOnQueue } from '../harness/tasks/queue-sweep.js';
import { serve } from '../harness/tasks/queue-worker.js';
import { Room } from '../harness/tasks/room.js';
import { programHere, type Task } from '../harness/tasks/task.js';
import { bench, killedRoot, sweepOf } from './killed-runs.js';
import { programMissing, type QueueServer, startRedis } from './queue-servers.js';
import { assertAsAlone, preload, type Running, start, until } from './queue-workers.js';
import { tinyRequest } from './tiny-collection.js';

const missing = programMissing('redis-server', 'redis-server');

let root: string;
/** Each test has a database of its own. */
let server: QueueServer;
before(async () => {
  root = await killedRoot();
  if (missing !== undefined) return;
  server = await startRedis();
  await bench(root, ['run', ...args('alone')]);
});
after(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const args = (name: string) =>
  sweepOf(root, path.join(root, name), 'mlr-mix').map((each) => (each === '1,2' ? '1' : each));
const cacheOf = (name: string) => path.join(root, name, 'cache');

/** Half of what is written of a shard finds room. */
const fullDisk = `
  const { open } = fs;
  fs.open = async (file, flags, mode) => {
    const handle = await open(file, flags, mode);
    if (flags === undefined || flags === 'r' || !/\\/shards\\/.*shard-\\d+/.test(String(file))) return handle;
    const write = handle.write.bind(handle);
    handle.write = async (bytes, ...rest) => {
      const half = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      await write(half, 0, half.length >> 1);
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
    return handle;
  };`;

test('a task that is too large for a worker, or for its disk, is done by another, and who watches says which', {
  skip: missing ?? false,
}, async () => {
  const url = `${server.url}/1`;
  const worker = (env: Record<string, string>, ...offer: string[]) =>
    start(['worker', '--queue', url, '--cache', cacheOf('offers'), ...offer], env);
  const run = start(['run', ...args('offers'), '--on', url]);
  const workers: Running[] = [];
  const stop = async (one: Running) => {
    one.child.kill('SIGTERM');
    assert.deepEqual(await one.ended, [0, null], one.said());
  };
  try {
    const small = worker({}, '--offer', 'memory=1MiB');
    workers.push(small);
    await until(() => /waits for a worker that offers more: mlr-mix/.test(run.said()), run);
    const [, line] = /waits for a worker that offers more: (.*\n.*)/.exec(run.said())!;
    assert.match(line!, /^mlr-mix on squad, seed \d: it needs [\d.]+ [MG]iB of memory, [\d.]+ MiB of disk/);
    assert.match(line!, /no GPU, 1\.0 MiB of memory, any disk$/);
    assert.match(small.said(), /left to others: mlr-mix/);
    const full = worker(await preload(root, 'full', fullDisk));
    workers.push(full);
    await until(() => /DISK|disk is full/.test(full.said()), run);
    await until(
      () => /waits for a worker that offers more: .*\n( {4}.*\n)* {4}.*: the disk is full/.test(run.said()),
      run,
    );
    const good = worker({});
    workers.push(good);
    assert.deepEqual(await run.ended, [0, null], run.said() + workers.map(({ said }) => said()).join('\n'));
    for (const one of workers) await stop(one);
    // It ended with the task that found the disk full.
    assert.doesNotMatch(full.said().replace(/^[\s\S]*takes no more/, ''), /begins:/);
    assert.match(good.said(), /begins: encode/);
    await assertAsAlone(path.join(root, 'offers'), path.join(root, 'alone'), 1);
    const files = await readdir(cacheOf('offers'), { recursive: true });
    assert.deepEqual(
      files.filter((file) => file.includes('.partial-')),
      [],
    );
  } finally {
    for (const { child } of [run, ...workers]) child.kill('SIGKILL');
  }
});

/** The first state that a training saves is written behind a wait that nothing in the process outlives. */
const blocking = (log: string) => `
  const { rename } = fs;
  let isFirst = true;
  fs.rename = async (from, to) => {
    if (/\\/checkpoints\\/.*state-\\d+\\.safetensors$/.test(String(to))) {
      if (isFirst) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 9000);
      isFirst = false;
      appendFileSync(${JSON.stringify(log)}, to + '\\n');
    }
    return rename(from, to);
  };`;

test('a task that blocks for longer than its lock is not taken for dead, and sweeps that share a training make it once', {
  skip: missing ?? false,
}, async () => {
  const url = `${server.url}/2`;
  const log = path.join(root, 'states');
  const env = await preload(root, 'blocking', blocking(log));
  const workers = [1, 2].map(() => start(['worker', '--queue', url, '--cache', cacheOf('blocked')], env));
  const out = path.join(root, 'blocked', 'out');
  const other = args('blocked').map((each) => (each === out ? path.join(root, 'blocked', 'other') : each));
  const runs = [args('blocked'), [...other, '--set', 'search.depth=20']].map((argv) =>
    start(['run', ...argv, '--on', url]),
  );
  try {
    for (const run of runs)
      assert.deepEqual(await run.ended, [0, null], run.said() + workers.map(({ said }) => said()).join('\n'));
    const states = (await readFile(log, 'utf8')).trim().split('\n');
    assert.ok(states.length >= 2);
    assert.deepEqual(states, [...new Set(states)]);
    await assertAsAlone(path.join(root, 'blocked'), path.join(root, 'alone'), 1);
  } finally {
    for (const { child } of [...runs, ...workers]) child.kill('SIGKILL');
  }
});

test('a worker that measures begins nothing else between two groups, and measures no more once its disk is full', {
  skip: missing ?? false,
}, async () => {
  const url = `${server.url}/3`;
  const [tasks, pinned] = [await openQueue(url), await openQueue(url, 'here')];
  const beside = { program: await programHere(), computeClass: computeClass(), request: {} };
  const add = ({ queue }: TaskQueue, title: string, more: object = {}) =>
    queue.add(title, { ...beside, ...more, id: title, title } as unknown as Task, { jobId: title });
  const latency = (title: string) => add(pinned, title, { kind: 'latency', latency: { pinned: 'here' } });
  const begun: string[] = [];
  const run: TaskChildren['run'] = async ({ task: { title } }) => {
    begun.push(title);
    if (title === 'first') {
      await add(tasks, 'other', { kind: 'cell' });
      for (const each of ['second', 'third', 'fourth']) await latency(each);
    }
    const full = { state: 'failed', code: 'DISK_FULL', exitCode: 3, message: 'No room.' } as const;
    return title === 'full' ? full : { state: 'done' };
  };
  const stop = new AbortController();
  const noting = (notes: string[], signal?: AbortSignal) =>
    ({ ...silentProgress(signal), note: (line: string) => void notes.push(line) }) as Progress;
  const notes: string[] = [];
  const place = { store: root, atOnce: 1, run };
  try {
    await latency('first');
    const serving = serve(tasks, { ...place, progress: noting(notes, stop.signal), name: 'a 1', pinned });
    while (!begun.includes('other')) await wait(50);
    assert.deepEqual(begun, ['first', 'second', 'third', 'fourth', 'other']);
    assert.equal(notes[0], 'waits for tasks, and for latencies as here');
    // Whoever is refused does not say that it waits.
    const refused: string[] = [];
    const second = await openQueue(url, 'here');
    await assert.rejects(serve(tasks, { ...place, progress: noting(refused), name: 'b 2', pinned: second }), {
      code: 'LOCKED',
      message: /^Another worker is pinned to here \(/,
    });
    assert.deepEqual(refused, []);
    // One that comes back after another took its name; which of them is meant nobody knows.
    const back = second.worker(async () => '', { name: 'b:2' });
    await back.waitUntilReady();
    await latency('whose');
    while (!notes.some((line) => line.startsWith('left: whose: another worker is pinned to here (b:2)')))
      await wait(50);
    await back.close();
    await second.close();
    await latency('full');
    const left = async () => ((await pinned.queue.getJob('full'))!.progress as Partial<Said>).left;
    while ((await left()) === undefined) await wait(50);
    assert.deepEqual(await left(), { 'a 1': 'the disk is full' });
    while ((await pinned.queue.getJobState('full')) !== 'delayed') await wait(50);
    const watching = new AbortController();
    const said: string[] = [];
    const progress = {
      ...silentProgress(watching.signal),
      note: (line: string) => {
        said.push(line);
        watching.abort();
      },
    };
    await assert.rejects(workOnQueue(pinned, [(await pinned.queue.getJob('full'))!.data], progress), {
      code: 'INTERRUPTED',
    });
    assert.match(said[0]!, /waits for a worker that can do it: (full|whose).*; seen by\n/);
    stop.abort();
    await serving;
  } finally {
    stop.abort();
    await tasks.close();
    await pinned.close();
  }
});

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
  const request = tinyRequest(root, 'mlr', 1, 'encode.shardPassages=1000', 'encode.memoryMiB=100');
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
