/** Processes of tasks: which one is used again, for what, and what a piece that is made in such a one leaves. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import { lockOf } from '../harness/store/artifact.js';
import { waitForOthers, withLock } from '../harness/store/lock.js';
import { type ChildOutcome, type ChildTask, TaskChild } from '../harness/tasks/child.js';
import { TaskChildren } from '../harness/tasks/children.js';
import { KeptRun } from '../harness/tasks/kept-run.js';
import { runTask } from '../harness/tasks/run-task.js';
import { cellTasks, type Task } from '../harness/tasks/task.js';
import { sentenceFolder } from './sentence-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-children-'));
});
after(() => rm(root, { recursive: true, force: true }));

const asked = { shards: 'encode.shardPassages=8' };
const quiet = () => ({ progress: silentProgress(), failed: {} });
const running = new AbortController().signal;

/** Four pieces, with all that they wait for made. */
async function begun(
  name: string,
  architecture = 'dual-encoder',
): Promise<{ store: string; pieces: readonly Task[] }> {
  const here = path.join(root, name);
  await writeTinyCollection(path.join(here, 'data'));
  const store = path.join(here, 'cache');
  const [cell] = (await cellTasks([tinyRequest(here, architecture, 1, asked.shards)])) as [Task];
  for (;;) {
    const outcome = await runTask(cell, { store, ...quiet() });
    assert.ok(outcome.state === 'waits');
    if (outcome.for.every(({ piece }) => piece !== undefined)) return { store, pieces: outcome.for };
    for (const task of outcome.for) await runTask(task, { store, ...quiet() });
  }
}

/** What pieces left, but for who made it and when. */
async function leftBy(store: string, pieces: readonly Task[]): Promise<Record<string, string>> {
  const left: Record<string, string> = {};
  for (const { leaves, title } of pieces) {
    const folder = path.join(store, leaves!.kind, leaves!.key);
    for (const file of (await readdir(folder)).sort())
      if (file !== 'manifest.json' && file !== 'last-used')
        left[`${title} ${file}`] = (await readFile(path.join(folder, file))).toString('base64');
  }
  assert.ok(Object.keys(left).length >= 2 * pieces.length, Object.keys(left).join('\n'));
  return left;
}

test('pieces of a run are made in one process, as they are in one each; behind a failure it is not used again', async () => {
  const { store, pieces } = await begun('processes');
  const alone = await begun('alone');
  for (const task of alone.pieces) await runTask(task, { store: alone.store, ...quiet() });
  let started = 0;
  const children = new TaskChildren(() => {
    started++;
    return new TaskChild();
  });
  const run = (task: Task) => children.run({ task, store, failed: {} }, () => undefined, running);
  try {
    for (const task of pieces.slice(0, 3)) assert.deepEqual(await run(task), { state: 'done' });
    assert.equal(started, 1);
    // Of the same run, so that the same process takes it.
    const wrong = await run({ ...pieces[3]!, computeClass: 'another' });
    assert.ok(wrong.state === 'failed' && wrong.code === 'UNAVAILABLE');
    assert.equal(started, 1);
    assert.deepEqual(await run(pieces[3]!), { state: 'done' });
    assert.equal(started, 2);
  } finally {
    await children.close();
  }
  assert.deepEqual(await leftBy(store, pieces), await leftBy(alone.store, alone.pieces));
});

test('what is open stays for the next piece, is asked for anew where data were edited, and goes for other tasks', async () => {
  const { store, pieces } = await begun('kept');
  const kept = new KeptRun();
  const place = { store, kept, ...quiet() };
  const stageOf = (task: Task) => {
    const request = { ...task.request, config: { ...task.request.config, cache: store } };
    return kept.stage(request, task.artifact!, place.progress);
  };
  const [first, second, third] = pieces as [Task, Task, Task];
  assert.deepEqual(await runTask(first, place), { state: 'done' });
  const found = await stageOf(first);
  assert.equal(found!.stage.name, 'encode');
  assert.deepEqual(await runTask(second, place), { state: 'done' });
  assert.equal((await stageOf(second))!.run, found!.run);
  const corpus = path.join(root, 'kept', 'data', 'corpus.jsonl');
  await appendFile(corpus, `${JSON.stringify({ _id: 'extra', title: '', text: 'behind the others' })}\n`);
  const edited = await runTask(third, place);
  assert.deepEqual(edited, await runTask(third, { store, ...quiet() }));
  assert.ok(edited.state === 'waits');
  assert.ok(edited.for.every(({ artifact }) => artifact !== third.artifact));
  await kept.close();
});

test('a published model stays open; for what lies behind a choice nothing does, and it is looked for once', async () => {
  const { store, pieces } = await begun('published', `pretrained:${await sentenceFolder('prompts')}`);
  const kept = new KeptRun();
  const [first, second] = pieces as [Task, Task];
  const request = { ...first.request, config: { ...first.request.config, cache: store } };
  const stage = (artifact: string) => kept.stage(request, artifact, silentProgress());
  assert.deepEqual(await runTask(first, { store, kept, ...quiet() }), { state: 'done' });
  const found = await stage(first.artifact!);
  assert.ok(found !== undefined);
  assert.deepEqual(await runTask(second, { store, kept, ...quiet() }), { state: 'done' });
  assert.equal((await stage(second.artifact!))!.run, found.run);
  let closed = 0;
  const { close } = found.run;
  Object.assign(found.run, { close: () => close().then(() => closed++) });
  // As that of a piece whose training was chosen among several.
  assert.equal(await stage('of no stage'), undefined);
  assert.equal(closed, 1);
  // It would be opened in vain, as often as it has pieces.
  await rename(path.join(root, 'published', 'data'), path.join(root, 'published', 'gone'));
  assert.equal(await stage('of no stage'), undefined);
  await assert.rejects(stage(first.artifact!), { code: 'PATH_INVALID' });
});

test('no run is opened for a shard that another is at, nor for one whose index is whole', async () => {
  const { store, pieces } = await begun('held');
  const kept = new KeptRun();
  kept.stage = () => Promise.reject(new Error('opened'));
  const run = (task: Task) => runTask(task, { store, kept, ...quiet() });
  const [first] = pieces as [Task];
  const { kind, key } = first.leaves!;
  waitForOthers({ waits: false });
  try {
    await withLock(lockOf(path.join(store, kind, key)), () => assert.rejects(run(first), { code: 'LOCKED' }));
    await assert.rejects(run(first), /opened/);
  } finally {
    waitForOthers({ waits: true });
  }
  const [cell] = (await cellTasks([first.request])) as [Task];
  for (const each of pieces) await runTask(each, { store, ...quiet() });
  assert.deepEqual(await runTask(cell, { store, ...quiet() }), { state: 'done' });
  assert.deepEqual(await run(first), { state: 'done' });
});

/** Processes that are none. @param outcomes of tasks by title; done where absent */
function made(outcomes: Record<string, ChildOutcome> = {}, memoryOf = (_task: number) => 100) {
  const log: string[] = [];
  let [started, task] = [0, 0];
  const overs: { isOver: boolean }[] = [];
  const children = new TaskChildren(() => {
    const name = `process ${++started}`;
    log.push(`${name} starts`);
    const child = {
      isOver: false,
      async run({ task: { title } }: ChildTask) {
        log.push(`${name}: ${title}`);
        return { outcome: outcomes[title] ?? { state: 'done' as const }, memoryBytes: memoryOf(task++) };
      },
      async end() {
        log.push(`${name} ends`);
      },
    };
    overs.push(child);
    return child;
  });
  const run = (title: string, piece: number | undefined = 0, request = 'a', signal = running) => {
    const task = { title, request: { name: request }, ...(piece !== -1 && { piece }) } as unknown as Task;
    return children.run({ task, store: '', failed: {} }, () => undefined, signal);
  };
  return { log, children, run, overs };
}

test('a process is used again for pieces of its run alone, and others that wait end before one starts', async () => {
  const { log, run, children } = made();
  await run('shard 1');
  await run('shard 2');
  await run('of another run', 0, 'b');
  await run('a training', -1);
  await run('another training', -1);
  await run('shard 3');
  await children.close();
  assert.deepEqual(log, [
    ...['process 1 starts', 'process 1: shard 1', 'process 1: shard 2', 'process 1 ends'],
    ...['process 2 starts', 'process 2: of another run', 'process 2 ends'],
    ...['process 3 starts', 'process 3: a training', 'process 3 ends'],
    ...['process 4 starts', 'process 4: another training', 'process 4 ends'],
    ...['process 5 starts', 'process 5: shard 3', 'process 5 ends'],
  ]);
});

test('a process that grew, that waits for others, that was told to stop or that died is not used again', async () => {
  const grew = made({}, (task) => [100, 200, 201, 100][task]!);
  for (const title of ['1', '2', '3', '4']) await grew.run(title);
  assert.deepEqual(grew.log, [
    ...['process 1 starts', 'process 1: 1', 'process 1: 2', 'process 1: 3', 'process 1 ends'],
    ...['process 2 starts', 'process 2: 4'],
  ]);
  await grew.children.close();
  const waits = made({ early: { state: 'waits', for: [] } });
  await waits.run('early');
  assert.deepEqual(waits.log.slice(2), ['process 1 ends']);
  const stopped = made();
  await stopped.run('stopped', 0, 'a', AbortSignal.abort());
  assert.deepEqual(stopped.log.slice(2), ['process 1 ends']);
  const died = made();
  await died.run('1');
  died.overs[0]!.isOver = true;
  await died.run('2');
  assert.deepEqual(died.log.slice(2), ['process 1 ends', 'process 2 starts', 'process 2: 2']);
  await died.children.close();
});

test('a process that waits for no task in a while gives its memory back', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { log, run } = made();
  await run('shard 1');
  t.mock.timers.tick(9_999);
  assert.doesNotMatch(log.join(), /ends/);
  t.mock.timers.tick(1);
  assert.deepEqual(log, ['process 1 starts', 'process 1: shard 1', 'process 1 ends']);
});
