/** A task names paths as its command did: they begin where that stood, wherever the process of the task begins. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { bareRequest } from '../harness/tasks/bare-request.js';
import type { ChildOutcome } from '../harness/tasks/child.js';
import { TaskChildren } from '../harness/tasks/children.js';
import { cellTasks, type Task } from '../harness/tasks/task.js';
import { givenFiles } from './given-folder.js';
import { passingFolder } from './places.js';
import { sentenceFolder } from './sentence-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const root = passingFolder('relative');
const [here, elsewhere] = ['here', 'elsewhere'].map((name) => path.join(root, name)) as [string, string];
const begun = process.cwd();
const children = new TaskChildren();

before(async () => {
  await writeTinyCollection(path.join(root, 'data'));
  for (const folder of [here, elsewhere, path.join(here, 'given')]) await mkdir(folder);
  for (const [name, content] of Object.entries(givenFiles()))
    await writeFile(path.join(here, 'given', name), content);
  cpSync(await sentenceFolder('prompts'), path.join(here, 'models', 'tiny'), { recursive: true });
  const queries = Array.from({ length: 12 }, (_, i) => i);
  await writeFile(
    path.join(here, 'hits+more.trec'),
    queries.map((i) => `q${i} Q0 p${i} 1 2 other\n`).join(''),
  );
  await writeFile(
    path.join(here, 'teacher.tsv'),
    queries.flatMap((i) => [`q${i}\tp${i}\t2\n`, `q${i}\tp${i + 1}\t1\n`]).join(''),
  );
});
after(async () => {
  process.chdir(begun);
  await children.close();
});

/** As a command that stands in `here` sends it. */
async function sent(architecture: string, ...set: string[]): Promise<Task> {
  process.chdir(here);
  const [task] = await cellTasks([tinyRequest(root, architecture, 1, ...set)]);
  return task!;
}

/** The task with all that it waits for, in processes that begin elsewhere. */
async function done(task: Task): Promise<ChildOutcome> {
  process.chdir(elsewhere);
  const store = path.join(root, 'cache');
  const signal = new AbortController().signal;
  for (;;) {
    const outcome = await children.run({ task, store, failed: {} }, () => undefined, signal);
    if (outcome.state !== 'waits') return outcome;
    for (const each of outcome.for) {
      const before = await done(each);
      if (before.state !== 'done') return before;
    }
  }
}

const taught = ['train.epochs=1', 'model.name=models/tiny', 'train.teacher.scores=teacher.tsv'];

test('relative paths in names and settings are those of the command that asked, and names stay as they are', async () => {
  const asked: [architecture: string, set: string[], paths: string[]][] = [
    ['vectors:given', [], ['given']],
    ['run:hits+more.trec', [], ['hits+more.trec']],
    ['fuse:run:hits+more.trec+vectors:given', [], ['hits+more.trec', 'given']],
    ['rerank:bm25>pretrained:models/tiny', [], ['models/tiny']],
    ['dual-encoder', [...taught, 'train.teacher.missing=left-out'], ['models/tiny', 'teacher.tsv']],
  ];
  for (const [architecture, set, paths] of asked) {
    const task = await sent(architecture, ...set);
    assert.equal(task.request.architecture, architecture);
    assert.deepEqual(task.request.relativeTo, { folder: here, paths }, architecture);
    assert.deepEqual(await done(task), { state: 'done' }, architecture);
  }
});

test('what names no relative path goes to any folder, also a model that may be on the hub', async () => {
  const bare = async (architecture: string, ...set: string[]): Promise<RunRequest> => {
    process.chdir(here);
    return bareRequest(tinyRequest(root, architecture, 1, ...set));
  };
  const whole = path.join(here, 'given');
  const names = [
    'bm25',
    'dual-encoder',
    `vectors:${whole}`,
    'pretrained:owner/name',
    'endpoint:http://given',
  ];
  for (const name of names) assert.equal((await bare(name)).relativeTo, undefined, name);
  // What plays no part is not looked for.
  assert.equal((await bare('bm25', 'model.name=models/tiny')).relativeTo, undefined);
});

test('a machine that does not see a path says so: it takes no model of that name from the hub', async () => {
  const task = await sent('pretrained:models/tiny');
  await rename(path.join(here, 'models'), path.join(root, 'gone'));
  const outcome = await done(task);
  assert.equal(outcome.state === 'failed' && outcome.code, 'PATH_INVALID');
  assert.match((outcome as { message: string }).message, /here\/models\/tiny is not on /);
});
