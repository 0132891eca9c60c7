/** What workers of a queue take, and what they leave to others: by their room, by their disk, by who holds a task. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { computeClass } from '../harness/program/compute-class.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { TaskChildren } from '../harness/tasks/children.js';
import { openQueue, type Said, type TaskQueue } from '../harness/tasks/queue.js';
import { workOnQueue } from '../harness/tasks/queue-sweep.js';
import { serve } from '../harness/tasks/queue-worker.js';
import { programHere, type Task } from '../harness/tasks/task.js';
import { bench, killedRoot, sweepOf } from './killed-runs.js';
import { programMissing, type QueueServer, startRedis } from './queue-servers.js';
import { assertAsAlone, preload, type Running, start, until } from './queue-workers.js';

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
