/** The tasks of a sweep as `bench plan` numbers them: each can be done once those are that it waits for, and leaves what its run takes. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { execute } from '../harness/cli/command.js';
import { command as plan } from '../harness/cli/plan.js';
import { command as task } from '../harness/cli/task.js';
import { command as worker } from '../harness/cli/worker.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { silentProgress } from '../harness/progress.js';
import { workBeside } from '../harness/tasks/by-store.js';
import { KeptRun } from '../harness/tasks/kept-run.js';
import { parseOffer } from '../harness/tasks/offer.js';
import { type PlannedTask, planTasks } from '../harness/tasks/plan-tasks.js';
import { assertPinnedName } from '../harness/tasks/queue.js';
import { runTask } from '../harness/tasks/run-task.js';
import { writeMadeSquad } from './made-squad.js';
import { root as checkout } from './places.js';
import { sentenceFolder } from './sentence-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-plan-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const request = (architecture: string, ...set: string[]) =>
  tinyRequest(root, architecture, 1, 'encode.shardPassages=8', ...set);
const place = () => ({ store: path.join(root, 'cache'), progress: silentProgress(), failed: {} });
const planOf = (requests: readonly RunRequest[]) => planTasks(requests, silentProgress());
const shown = (tasks: readonly PlannedTask[]) =>
  tasks.map(({ number, level, waits, task: { title } }) => [
    ...[number, level, waits.join(), title.replace(/ on beir, seed 1$/, '')],
  ]);

test('tasks are numbered by level, what runs share is one, and each is done once those before it are', async () => {
  // The training and the shards of dual-encoder are those of its hybrid, too.
  const requests = [request('bm25'), request('dual-encoder'), request('fuse:bm25+dual-encoder')];
  const tasks = await planOf(requests);
  const shards = [1, 2, 3, 4].map((i) => `encode shard ${i} of 4, dual-encoder`);
  assert.deepEqual(shown(tasks), [
    [0, 0, '', 'bm25'],
    [1, 0, '', 'train, dual-encoder'],
    ...shards.map((title, i) => [2 + i, 1, '1', title]),
    [6, 2, '2,3,4,5', 'dual-encoder'],
    [7, 2, '2,3,4,5', 'fuse:bm25+dual-encoder'],
  ]);
  const early = await runTask(tasks[3]!.task, place());
  assert.ok(early.state === 'waits');
  assert.deepEqual(
    early.for.map(({ id }) => id),
    [tasks[1]!.task.id],
  );
  for (const each of tasks)
    assert.deepEqual(await runTask(each.task, place()), { state: 'done' }, each.task.title);
  // Numbers do not depend on what is done.
  assert.deepEqual(shown(await planOf(requests)), shown(tasks));
});

test('a second training waits for the shards of the first', async () => {
  const tasks = await planOf([request('mlr', 'stages=2', 'stage2.depth=5')]);
  assert.deepEqual(
    tasks.map(({ level, task: { kind } }) => `${level} ${kind}`),
    ['0 train', ...Array(4).fill('1 encode'), '2 train', ...Array(4).fill('3 encode'), '4 cell'],
  );
  assert.deepEqual(tasks[5]!.waits, [1, 2, 3, 4]);
});

test('of models as they were published real shards are planned, and each is done in a process that keeps them open', async () => {
  const published = `pretrained:${await sentenceFolder('prompts')}`;
  const requests = [published, `fuse:bm25+${published}`, `rerank:bm25>${published}`].map((name) =>
    request(name),
  );
  const tasks = await planOf(requests);
  const shards = tasks.filter(({ task: { kind } }) => kind === 'encode');
  assert.deepEqual(
    tasks.map(({ task: { kind } }) => kind),
    [...Array(4).fill('encode'), 'cell', 'cell', 'cell'],
  );
  for (const { task: cell } of tasks.slice(4)) {
    const early = await runTask(cell, place());
    assert.ok(early.state === 'waits');
    assert.deepEqual(
      early.for.map(({ id }) => id),
      shards.map(({ task: { id } }) => id),
    );
  }
  const kept = new KeptRun();
  try {
    for (const { task: each } of tasks)
      assert.deepEqual(await runTask(each, { ...place(), kept }), { state: 'done' }, each.title);
  } finally {
    await kept.close();
  }
});

test('what is behind a choice that a training makes is done with the run', async () => {
  const data = path.join(root, 'squad');
  await mkdir(data);
  await writeMadeSquad(data);
  const asked = request('mlr-sc', 'arch.lambda=[0.1,1]', 'train.epochs=1', 'encode.shardPassages=20');
  const tasks = await planOf([{ ...asked, dataset: 'squad', data }]);
  assert.deepEqual(
    tasks.map(({ level, waits, task: { kind } }) => `${level} ${kind} ${waits.join()}`),
    ['0 train ', '0 train ', '1 cell 0,1'],
  );
  const { done, failed } = await workBeside([tasks[2]!.task], { ...place(), pauseMs: 1 });
  assert.deepEqual(failed, []);
  assert.ok(done.some(({ kind }) => kind === 'encode'));
});

test('the command prints them, and does one of them with what it waits for', async () => {
  const cache = path.join(root, 'commands');
  const values = {
    ...{ arch: 'dual-encoder,bm25', dataset: 'beir', data: [path.join(root, 'data')], cache },
    set: [
      ...['model.scratch.layers=2', 'model.scratch.dimensions=8', 'model.scratch.heads=1'],
      ...['model.scratch.intermediate=8', 'model.scratch.vocabularySize=300', 'text.passageTokens=16'],
      ...['train.epochs=0', 'encode.shardPassages=8', 'engine=onnx', 'searcher=exact', 'measures=mrr@10'],
    ],
    seeds: '1',
    offline: true,
  };
  const printed = async (work: typeof plan, more: object) => {
    let text = '';
    assert.equal(
      await work.run({ ...values, ...more } as never, [], (part) => {
        text += part;
      }),
      0,
    );
    return text;
  };
  const text = await printed(plan, { tasks: true });
  assert.match(
    text,
    /^number\tlevel\tkind\twaits for\ttitle\n0\t0\ttrain\t-\ttrain, dual-encoder on beir, seed 1\n/,
  );
  assert.match(text, /\n6\t2\tcell\t2-5\tdual-encoder on beir, seed 1\n/);
  assert.match(text, /# level 0: 0-1\n# level 1: 2-5\n# level 2: 6\n$/);
  assert.equal(
    await printed(task, { number: '3' }),
    'done: encode shard 2 of 4, dual-encoder on beir, seed 1\n',
  );
  const data = JSON.parse(await printed(plan, { tasks: true, json: true })) as { done: boolean | null }[];
  assert.deepEqual(
    data.map(({ done }) => done),
    [true, null, false, true, false, false, null],
  );
  const shards = (await readdir(path.join(cache, 'shards'))).filter((name) => /^[0-9a-f]{20}$/.test(name));
  assert.equal(shards.length, 1);
  const none = () => undefined;
  await assert.rejects(task.run({ ...values, number: '7' }, [], none), {
    code: 'USAGE',
    message: /from 0 to 6/,
  });
  await assert.rejects(task.run({ ...values, number: '-1' }, [], none), { code: 'USAGE' });
  await assert.rejects(task.run({ arch: 'bm25' }, [], none), {
    code: 'USAGE',
    message: /goes with --number/,
  });
  await assert.rejects(task.run({ number: '0', arch: 'bm25' }, [], none), {
    code: 'USAGE',
    message: /--dataset/,
  });
  await assert.rejects(plan.run(values, [], none), { code: 'USAGE' });
});

test('the examples for containers give workers command lines that are some, of a program that is there', async () => {
  const read = (name: string) => readFile(new URL(`../../docs/examples/${name}`, import.meta.url), 'utf8');
  const manifests = parseAllDocuments(await read('kubernetes.yaml')).map((each): Deployment => each.toJS());
  const asked: Record<string, unknown>[] = [];
  const looking = {
    ...worker,
    run: async (values: object) => {
      asked.push({ ...values });
      return 0;
    },
  };
  for (const { kind, spec } of manifests) {
    assert.equal(kind, 'Deployment');
    const { spec: pod, metadata } = spec.template;
    assert.deepEqual(spec.selector.matchLabels, metadata.labels);
    const { args, volumeMounts } = pod.containers[0]!;
    assert.deepEqual(
      volumeMounts.map(({ name }) => name),
      pod.volumes.map(({ name }) => name),
    );
    const [name, ...options] = args;
    assert.equal(name, 'worker');
    assert.equal(await execute('worker', looking, options), 0);
  }
  assert.deepEqual(
    asked.map((values) => Object.keys(values).sort()),
    [
      ['cache', 'offer', 'queue'],
      ['cache', 'pinned', 'queue'],
    ],
  );
  assert.deepEqual(parseOffer(String(asked[0]!.offer)), { gpus: 0, memoryMiB: 28672, diskMiB: 204800 });
  assert.doesNotThrow(() => assertPinnedName(String(asked[1]!.pinned)));
  // What the image runs, which node, and the scripts that it names.
  const dockerfile = await read('Dockerfile');
  const [, entry] = /^ENTRYPOINT (.*)$/m.exec(dockerfile)!;
  const [program, script] = JSON.parse(entry!) as string[];
  assert.equal(program, 'node');
  assert.ok(existsSync(path.join(checkout, path.relative('/app', script!))), script);
  const { engines } = JSON.parse(await readFile(path.join(checkout, 'package.json'), 'utf8'));
  assert.equal(/^FROM node:(\d+)-/m.exec(dockerfile)![1], /\d+/.exec(engines.node)![0]);
});

interface Deployment {
  kind: string;
  spec: { selector: { matchLabels: object }; template: { metadata: { labels: object }; spec: Pod } };
}

interface Pod {
  containers: { args: string[]; volumeMounts: { name: string }[] }[];
  volumes: { name: string }[];
}
