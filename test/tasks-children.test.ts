/** Processes of tasks: which one is used again, for what, and what a piece that is made in such a one leaves. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { lockOf } from '../harness/store/artifact.js';
import { withLock } from '../harness/store/lock.js';
import { type ChildOutcome, type ChildTask, TaskChild } from '../harness/tasks/child.js';
import { TaskChildren } from '../harness/tasks/children.js';
import { runTask } from '../harness/tasks/run-task.js';
import { cellTasks, type Task } from '../harness/tasks/task.js';
import { begunPieces, quiet } from './begun-pieces.js';
import { tinyRequest } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-children-'));
});
after(() => rm(root, { recursive: true, force: true }));

const running = new AbortController().signal;

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
  const { store, pieces } = await begunPieces(path.join(root, 'processes'));
  const alone = await begunPieces(path.join(root, 'alone'));
  for (const task of alone.pieces) await runTask(task, { store: alone.store, ...quiet() });
  let started = 0;
  const children = new TaskChildren(() => {
    started++;
    return new TaskChild();
  });
  const run = (task: Task) => children.run({ task, store, failed: {} }, () => undefined, running);
  try {
    const { kind, key } = pieces[0]!.leaves!;
    const held = await withLock(lockOf(path.join(store, kind, key)), () => run(pieces[0]!));
    assert.ok(held.state === 'failed' && held.code === 'LOCKED');
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

test('a process that has ended is over, though what it started holds its output, and is not waited for', async () => {
  const [module, started] = [path.join(root, 'starts.mjs'), path.join(root, 'started')];
  await writeFile(
    module,
    `import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
if (process.argv[2] === 'task') {
  const stdio = ['ignore', 'inherit', 'inherit'];
  const other = spawn(process.execPath, ['-e', 'setTimeout(() => undefined, 60_000)'], { stdio, env: {} });
  other.unref();
  writeFileSync(${JSON.stringify(started)}, String(other.pid));
}
`,
  );
  const { NODE_OPTIONS: options } = process.env;
  process.env.NODE_OPTIONS = `--import ${pathToFileURL(module).href}`;
  const child = new TaskChild();
  if (options === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = options;
  const [cell] = (await cellTasks([tinyRequest(root, 'bm25', 1)])) as [Task];
  const given = { task: { ...cell, computeClass: 'another' }, store: path.join(root, 'none'), failed: {} };
  const codeOf = async () => {
    const { outcome } = await child.run(given, () => undefined, running);
    return outcome.state === 'failed' && outcome.code;
  };
  try {
    assert.equal(await codeOf(), 'UNAVAILABLE');
    // Far longer than it takes, and shorter than what it started.
    for (let looks = 0; !child.isOver && looks < 1500; looks++) await wait(20);
    assert.ok(child.isOver);
  } finally {
    process.kill(Number(await readFile(started, 'utf8')));
    await child.end();
  }
  assert.equal(await codeOf(), 'LOST');
});

/**
 * Processes that are none.
 * @param outcomes of tasks by title, or by process and title; done where absent
 * @param openedBy whether a process has opened a run by a task
 */
function made(
  outcomes: Record<string, ChildOutcome> = {},
  memoryOf = (_task: number) => 100,
  openedBy = (_task: number) => true,
) {
  const log: string[] = [];
  let [started, task] = [0, 0];
  const overs: { isOver: boolean }[] = [];
  const children = new TaskChildren(() => {
    const name = `process ${++started}`;
    log.push(`${name} starts`);
    const child = {
      isOver: false,
      async run({ task: { title } }: ChildTask, told: (line: string) => void) {
        const what = `${name}: ${title}`;
        log.push(what);
        if (title.endsWith('says something')) told(title);
        const outcome = outcomes[what] ?? outcomes[title] ?? { state: 'done' as const };
        const [memoryBytes, hasOpened] = [memoryOf(task), openedBy(task)];
        task++;
        return { outcome, memoryBytes, hasOpened };
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

const failedBy = (code: string): ChildOutcome => ({ state: 'failed', code, exitCode: 3, message: code });

test('memory is compared with that behind the first task that opened its run, and a task that another holds ends nothing', async () => {
  const { log, run, children } = made(
    { held: failedBy('LOCKED') },
    (task) => [10, 10, 100, 200, 201][task]!,
    (task) => task > 1,
  );
  assert.deepEqual(await run('done already'), { state: 'done' });
  assert.deepEqual(await run('held'), failedBy('LOCKED'));
  for (const title of ['first', 'second', 'third']) await run(title);
  await children.close();
  assert.deepEqual(log, [
    ...['process 1 starts', 'process 1: done already', 'process 1: held'],
    ...['process 1: first', 'process 1: second', 'process 1: third', 'process 1 ends'],
  ]);
});

test('a task of a process that died while it waited is done in a new one; one that was begun, or that ends a new one, is lost', async () => {
  const lost = failedBy('LOST');
  const { log, run, children } = made({
    ...{ 'process 1: 2': lost, 'process 2: 3 says something': lost, 'process 3: 4': lost },
  });
  for (const title of ['1', '2']) assert.deepEqual(await run(title), { state: 'done' });
  assert.deepEqual(await run('3 says something'), lost);
  assert.deepEqual(await run('4'), lost);
  await children.close();
  assert.deepEqual(log, [
    ...['process 1 starts', 'process 1: 1', 'process 1: 2', 'process 1 ends'],
    ...['process 2 starts', 'process 2: 2', 'process 2: 3 says something', 'process 2 ends'],
    ...['process 3 starts', 'process 3: 4', 'process 3 ends'],
  ]);
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
