/** What a process keeps open from one task to the next: for which tasks, how long, and where it opens nothing. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import { lockOf } from '../harness/store/artifact.js';
import { waitForOthers, withLock } from '../harness/store/lock.js';
import { KeptRun } from '../harness/tasks/kept-run.js';
import { runTask } from '../harness/tasks/run-task.js';
import { cellTasks, type Task } from '../harness/tasks/task.js';
import { begunPieces, quiet } from './begun-pieces.js';
import { sentenceFolder } from './sentence-folder.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-kept-'));
});
after(() => rm(root, { recursive: true, force: true }));

test('what is open stays for the next piece, is asked for anew where data were edited, and goes for other tasks', async () => {
  const { store, pieces } = await begunPieces(path.join(root, 'kept'));
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
  const { store, pieces } = await begunPieces(
    path.join(root, 'published'),
    `pretrained:${await sentenceFolder('prompts')}`,
  );
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
  const { store, pieces } = await begunPieces(path.join(root, 'held'));
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
