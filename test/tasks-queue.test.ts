/** A sweep on a queue, whose workers, server and submitter are killed, ends with the bytes of one that ran alone. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { silentProgress } from '../harness/progress.js';
import { TaskChildren } from '../harness/tasks/children.js';
import { openQueue } from '../harness/tasks/queue.js';
import { workOnQueue } from '../harness/tasks/queue-sweep.js';
import type { Task } from '../harness/tasks/task.js';
import { bench, killedRoot, sweepOf } from './killed-runs.js';
import {
  postgresPrograms,
  programMissing,
  type QueueServer,
  startPostgres,
  startRedis,
} from './queue-servers.js';
import { assertAsAlone, endStarted, measurersIn, preload, recordsIn, start, until } from './queue-workers.js';

const redisMissing = programMissing('redis-server', 'redis-server');
const postgresMissing =
  postgresPrograms() === undefined ? 'postgres is not installed (Debian: postgresql)' : undefined;

let root: string;
before(async () => {
  root = await killedRoot();
  await bench(root, ['run', ...args(path.join(root, 'alone'))]);
  await bench(root, ['run', ...cutArgs(path.join(root, 'alone-cut'))]);
});
after(() => {
  endStarted();
  return rm(root, { recursive: true, force: true });
});

const args = (here: string) => sweepOf(root, here, 'mlr-mix,bm25');
/** Nine shards, so that a search is two pieces. */
const cutArgs = (here: string) => [
  ...sweepOf(root, here, 'mlr-mix,bm25', '1'),
  ...['--set', 'encode.shardPassages=5'],
];

const workerOf = ({ url }: QueueServer, shared: string, ...others: string[]) => [
  ...['worker', '--queue', url, '--cache', path.join(shared, 'cache'), ...others],
];

/** Whoever measures stands still behind the hits of the first run, and says so in a file. */
const standing = (log: string) => `
  const { rename } = fs;
  fs.rename = async (from, to) => {
    await rename(from, to);
    if (!/\\/findings\\/.*\\.run\\.gz$/.test(String(to))) return;
    appendFileSync(${JSON.stringify(log)}, to + '\\n');
    await new Promise(() => setInterval(() => undefined, 1000));
  };`;

const kinds = ['train', 'encode shard', 'search shards', 'mlr-mix on', 'bm25 on'] as const;

/**
 * The only worker there is, started again when it is killed: at the first task of every kind. Another beside it could
 * take all tasks of a kind. @param killed gets the kinds
 */
async function killAtEveryKind(server: QueueServer, shared: string, killed: string[]): Promise<void> {
  while (killed.length < kinds.length) {
    const worker = start(workerOf(server, shared));
    const next = () =>
      kinds.find((kind) => !killed.includes(kind) && worker.said().includes(`begins: ${kind}`));
    await until(() => next() !== undefined, worker);
    killed.push(next()!);
    await wait(300);
    worker.child.kill('SIGKILL');
    await worker.ended;
  }
}

test('workers, Redis and the submitter are killed, the queue is emptied, and no byte is another', {
  skip: redisMissing ?? false,
}, async () => {
  const server = await startRedis();
  const shared = path.join(root, 'redis');
  const submit = () => start(['run', ...cutArgs(shared), '--on', server.url, '--pinned', 'here']);
  const killed: string[] = [];
  try {
    const first = submit();
    const killing = killAtEveryKind(server, shared, killed);
    await until(() => /at work/.test(first.said()), first);
    first.child.kill('SIGKILL');
    await first.ended;
    await server.kill();
    await server.start();
    const second = submit();
    await until(() => killed.includes('encode shard'), second);
    const client = new Redis(server.url);
    await client.flushall();
    client.disconnect();
    await killing;
    const pinned = (env = {}) => start(workerOf(server, shared, '--pinned', 'here'), env);
    const log = path.join(root, 'measuring');
    const lost = pinned(await preload(root, 'standing', standing(log)));
    await until(() => existsSync(log), second);
    lost.child.kill('SIGKILL');
    await lost.ended;
    const told = pinned();
    await until(() => told.said().includes('begins: latencies at here: mlr-mix, bm25'), second);
    told.child.kill('SIGTERM');
    assert.deepEqual(await told.ended, [0, null], told.said());
    const steady = pinned();
    assert.deepEqual(await second.ended, [0, null], second.said() + steady.said());
    const status = start(['queue', 'status', '--queue', server.url]);
    assert.deepEqual(await status.ended, [0, null]);
    assert.match(status.said(), /\nworker \S+:\d+, pinned to here\n$/);
    const tasks = await openQueue(server.url, 'here');
    const foreign = { id: 'others', kind: 'latency', program: 'of old', title: 'others' } as Task;
    await tasks.queue.add('latency', foreign, { jobId: foreign.id });
    await until(() => steady.said().includes('left to others: others: it is for of old'), steady);
    while ((await tasks.queue.getJobState(foreign.id)) !== 'delayed') await wait(50);
    const watching = new AbortController();
    const notes: string[] = [];
    const note = (line: string) => {
      notes.push(line);
      watching.abort();
    };
    const progress = { ...silentProgress(watching.signal), note };
    await assert.rejects(workOnQueue(tasks, [foreign], progress), {
      code: 'INTERRUPTED',
    });
    assert.match(notes[0]!, /waits for a worker of its own kind: others: it is for of old, .*; seen by\n/);
    await tasks.close();
    steady.child.kill('SIGTERM');
    assert.deepEqual(await steady.ended, [0, null], steady.said());
    assert.match(steady.said(), /begins: latencies/);
    assert.doesNotMatch(steady.said(), /begins: others/);
    await assertAsAlone(shared, path.join(root, 'alone-cut'), 2);
    assert.deepEqual(await measurersIn(shared), ['here', 'here']);
  } finally {
    await server.stop();
  }
});

test('a run that fails on a worker has a record that says why, and the others are recorded', {
  skip: redisMissing ?? false,
}, async () => {
  const server = await startRedis();
  const shared = path.join(root, 'failing');
  const worker = start(['worker', '--queue', server.url, '--cache', path.join(shared, 'cache')]);
  try {
    const argv = [...args(shared), '--seeds', '1', '--set', 'train.learningRate=1e38', '--on', server.url];
    const run = start(['run', ...argv.filter((_, i) => argv[i] !== '1,2' && argv[i + 1] !== '1,2')]);
    assert.deepEqual(await run.ended, [3, null], run.said() + worker.said());
    const records = await recordsIn(shared);
    assert.deepEqual(records.map(({ arch, status }) => `${arch.name} ${status}`).sort(), [
      'bm25 ok',
      'mlr-mix failed',
    ]);
    assert.match(run.said(), /TASK_FAILED: .*the loss was NaN[\s\S]*squad, test: 16 queries/);
  } finally {
    worker.child.kill('SIGTERM');
    await worker.ended;
    await server.stop();
  }
});

test('PostgreSQL does the same; before it is made ready it is refused, and no password is shown', {
  skip: postgresMissing ?? false,
}, async () => {
  const server = await startPostgres();
  const shared = path.join(root, 'postgres');
  try {
    const refused = start(['worker', '--queue', server.url, '--cache', path.join(shared, 'cache')]);
    assert.deepEqual(await refused.ended, [3, null], refused.said());
    assert.match(refused.said(), /bench queue init/);
    const wrong = start(['queue', 'status', '--queue', server.url.replace('sesame', 'hunter2')]);
    assert.deepEqual(await wrong.ended, [3, null], wrong.said());
    assert.match(wrong.said(), /refuses the name or the password/);
    const ready = start(['queue', 'init', '--queue', server.url]);
    assert.deepEqual(await ready.ended, [0, null], ready.said());
    const workers = [1, 2].map(() => start(workerOf(server, shared)));
    const run = start(['run', ...args(shared), '--on', server.url, '--pinned', 'here']);
    await until(() => /begins: train/.test(workers[0]!.said()), run);
    workers[0]!.child.kill('SIGKILL');
    await until(() => /at work/.test(run.said()), run);
    await server.kill();
    await until(() => /it is waited for/.test(run.said()), run);
    await server.start();
    // All is made, and the worker that is there leaves the latencies of both seeds alone.
    await until(() => run.said().includes('0 at work, 2 waiting; no worker is pinned to here'), run);
    const pinned = () => start(workerOf(server, shared, '--pinned', 'here'));
    workers.push(pinned());
    assert.deepEqual(await run.ended, [0, null], run.said() + workers.map(({ said }) => said()).join());
    assert.doesNotMatch(workers[1]!.said(), /latencies/);
    const other = pinned();
    assert.deepEqual(await other.ended, [3, null], other.said());
    assert.match(other.said(), /LOCKED: Another worker is pinned to here \(/);
    workers[2]!.child.kill('SIGTERM');
    assert.deepEqual(await workers[2]!.ended, [0, null], workers[2]!.said());
    workers[1]!.child.kill('SIGTERM');
    assert.deepEqual(await workers[1]!.ended, [0, null], workers[1]!.said());
    await assertAsAlone(shared, path.join(root, 'alone'), 4);
    assert.deepEqual(await measurersIn(shared), Array(4).fill('here'));
    for (const { said } of [refused, wrong, ready, run, other, ...workers])
      assert.doesNotMatch(said(), /sesame|hunter2/);
    const out = path.join(shared, 'out');
    for (const name of (await readdir(out)).filter((each) => /\.(json|yaml)$/.test(each)))
      assert.doesNotMatch(await readFile(path.join(out, name), 'utf8'), /sesame/, name);
  } finally {
    await server.stop();
  }
});

test('whoever waits for a Redis that is gone says so, and stops when told to', {
  skip: redisMissing ?? false,
}, async () => {
  const server = await startRedis();
  const gone = path.join(root, 'gone');
  const run = start(['run', ...args(gone), '--on', server.url]);
  await until(() => /0 at work/.test(run.said()), run);
  const worker = start(['worker', '--queue', server.url, '--cache', path.join(gone, 'other')]);
  await until(() => /waits for tasks/.test(worker.said()), worker);
  await server.kill();
  for (const waiting of [run, worker]) {
    await until(() => /queue: ECONN/.test(waiting.said()), waiting);
    waiting.child.kill('SIGTERM');
  }
  assert.deepEqual(await run.ended, [130, null], run.said());
  assert.deepEqual(await worker.ended, [0, null], worker.said());
  await server.stop();
});

test('a task that begins when its worker is already told to stop is stopped', async () => {
  const given = { task: {} as Task, store: root, failed: {} };
  const outcome = await new TaskChildren().run(given, () => undefined, AbortSignal.abort());
  assert.ok(outcome.state === 'failed');
  assert.match(outcome.message, /SIGTERM/);
});

test('a Redis that would lose tasks is refused, and so is none', {
  skip: redisMissing ?? false,
}, async () => {
  const server = await startRedis('--maxmemory-policy', 'allkeys-lru');
  const losing = start(['queue', 'status', '--queue', server.url]);
  assert.deepEqual(await losing.ended, [3, null]);
  assert.match(losing.said(), /eviction policy allkeys-lru/);
  await server.stop();
  const none = start(['run', ...args(path.join(root, 'none')), '--on', server.url]);
  assert.deepEqual(await none.ended, [3, null]);
  assert.match(none.said(), /UNAVAILABLE: The queue at redis:\/\/127.0.0.1:\d+ cannot be used: ECONNREFUSED/);
  const what = start(['queue', 'status', '--queue', 'amqp://127.0.0.1']);
  assert.deepEqual(await what.ended, [2, null]);
});
