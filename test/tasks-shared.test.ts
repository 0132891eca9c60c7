/** A sweep that several workers share on one store, killed at every kind of task, ends with the bytes of one that ran alone. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { command as work } from '../harness/cli/work.js';
import { BenchError } from '../harness/errors.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { inventory } from '../harness/store/inventory.js';
import { readManifest } from '../harness/store/manifest.js';
import { workBeside } from '../harness/tasks/by-store.js';
import { runTask, type TaskPlace } from '../harness/tasks/run-task.js';
import { cellTasks, type Task } from '../harness/tasks/task.js';
import { assertHeldFiles, bench, killedRoot, sweepOf } from './killed-runs.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await killedRoot();
  await writeTinyCollection(path.join(root, 'tiny', 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

/** Nine shards, so that a search is two pieces; passages of two vectors, and of one. */
const args = (here: string) => [
  ...sweepOf(root, here, 'mlr,dual-encoder,bm25'),
  ...['--set', 'encode.shardPassages=5', '--set', 'search.batchSize=1'],
];

test('workers that are killed at every kind of task, and others beside them, change no byte', async () => {
  const [alone, shared] = [path.join(root, 'alone'), path.join(root, 'shared')];
  await bench(root, ['run', ...args(alone)]);
  const places = [
    // The vocabulary that every training begins with; a training that goes on from a state.
    /^before .*models\/.*manifest\.json$/,
    /^after .*state-2\.safetensors$/,
    /^before .*checkpoints\/.*manifest\.json$/,
    // A shard that is one piece; the whole, of which one piece was put in place.
    /^before .*shards\/.*shard-00001\.json$/,
    /^after .*shards\/.*manifest\.json$/,
    /^after .*shards\/.*shard-00000\.json$/,
    /^before .*shards\/.*identifiers$/,
    // Query vectors.
    /^before .*queries\/.*manifest\.json$/,
    // Hits of half the queries in one span; all of them; one of two pieces beside what both are to become; that, half in place.
    /^after .*runs\/.*parts\/00000\.hits$/,
    /^before .*runs\/.*piece\.json$/,
    /^copied .*runs\/.*pieces\/00008\/winners\.i32$/,
    /^before .*runs\/[^/]*\/scores\.f32$/,
  ];
  for (const at of places) await bench(root, ['work', ...args(shared), '--worker', '0'], at);
  await Promise.all(['0', '1'].map((worker) => bench(root, ['work', ...args(shared), '--worker', worker])));
  const made = await artifacts(path.join(shared, 'cache'));
  await bench(root, ['run', ...args(shared)]);
  const files = await assertHeldFiles(shared, alone);
  assert.ok(files.length > 60, files.join('\n'));
  // Nothing was left for the run that ends it but what is timed and recorded.
  assert.deepEqual(await artifacts(path.join(shared, 'cache')), made);
  const records = files.filter((file) => file.endsWith('.record.json'));
  assert.equal(records.length, 6);
  for (const file of records) {
    const { stages } = JSON.parse(await readFile(path.join(shared, file), 'utf8')) as RunRecord;
    const anew = stages.filter(({ key, execution }) => key !== null && !execution.cached);
    assert.deepEqual(anew, [], file);
  }
});

/** Of those that are finished. */
async function artifacts(cache: string): Promise<string[]> {
  const files = await readdir(cache, { recursive: true });
  return files.filter((file) => path.basename(file) === 'manifest.json').sort();
}

const request = (architecture: string, ...set: string[]) =>
  tinyRequest(path.join(root, 'tiny'), architecture, 1, 'encode.shardPassages=8', ...set);
const place = (failed: Record<string, string> = {}) => ({
  ...{ store: path.join(root, 'tiny', 'cache'), progress: silentProgress(), failed },
});

test('tasks name what they wait for, and are the same for sweeps that share a training', async () => {
  const asked = request('dual-encoder');
  const [cell] = (await cellTasks([asked])) as [Task];
  const kinds = (tasks: readonly Task[]) => tasks.map(({ kind, title }) => `${kind}: ${title}`);
  const training = await runTask(cell, place());
  assert.ok(training.state === 'waits');
  assert.deepEqual(kinds(training.for), ['train: train, dual-encoder on beir, seed 1']);
  const [other] = (await cellTasks([request('dual-encoder', 'search.depth=20')])) as [Task];
  assert.notEqual(other.id, cell.id);
  const its = await runTask(other, place());
  assert.ok(its.state === 'waits');
  assert.deepEqual(
    its.for.map(({ id }) => id),
    training.for.map(({ id }) => id),
  );
  assert.deepEqual(await runTask(training.for[0]!, place()), { state: 'done' });
  // Done by another meanwhile: nothing behind it is its own.
  assert.deepEqual(await runTask(training.for[0]!, place()), { state: 'done' });
  const shards = await runTask(cell, place());
  assert.ok(shards.state === 'waits');
  assert.deepEqual(
    kinds(shards.for),
    [1, 2, 3, 4].map((shard) => `encode: encode shard ${shard} of 4, dual-encoder on beir, seed 1`),
  );
  // A piece needs no other, and is made without them.
  assert.deepEqual(await runTask(shards.for[2]!, place()), { state: 'done' });
  const left = await runTask(cell, place());
  assert.ok(left.state === 'waits' && left.for.length === 3);
});

test('what is mined waits for a search that is cut, whose pieces know nothing of it', async () => {
  const cut = ['encode.shardPassages=3', 'stages=2', 'stage2.depth=5'];
  const [cell] = (await cellTasks([request('mlr', ...cut)])) as [Task];
  /** Of artifacts of a kind, whether each is finished. */
  const finished = async (kind: string) => {
    const folder = path.join(root, 'tiny', 'cache', kind);
    const names = await readdir(folder).catch(() => []);
    const files = await Promise.all(names.map((name) => readdir(path.join(folder, name))));
    return files.map((those) => those.includes('manifest.json'));
  };
  const searched: string[] = [];
  for (;;) {
    const outcome = await runTask(cell, place());
    if (outcome.state !== 'waits') break;
    const encoded = await finished('queries');
    for (const task of outcome.for) {
      assert.deepEqual(await runTask(task, place()), { state: 'done' });
      if (task.kind !== 'search') continue;
      searched.push(task.title);
      // Queries were encoded before, once.
      assert.deepEqual(await finished('queries'), encoded);
      // Begun, it would be locked, and one piece would wait for the other.
      assert.ok(!(await finished('negatives')).includes(false));
    }
  }
  const pieces = ['1 to 8', '9 to 10'].map((shards) => `search shards ${shards} of 10, mlr on beir, seed 1`);
  // The training queries, and those of test.
  assert.deepEqual(searched, [...pieces, ...pieces]);
});

test('pieces go once the whole is there, and who still has one to make finds it done', async () => {
  const [cell] = (await cellTasks([request('dual-encoder')])) as [Task];
  const shards = await runTask(cell, place());
  assert.ok(shards.state === 'waits');
  for (const each of shards.for) await runTask(each, place());
  assert.deepEqual(await runTask(cell, place()), { state: 'done' });
  for (const { kind, folder } of await inventory(path.join(root, 'tiny', 'cache')))
    if (kind === 'shards')
      assert.doesNotMatch(JSON.stringify((await readManifest(folder))?.inputs), /"made":"piece of/);
  const before = await artifacts(path.join(root, 'tiny', 'cache'));
  for (const each of shards.for) assert.deepEqual(await runTask(each, place()), { state: 'done' });
  assert.deepEqual(await artifacts(path.join(root, 'tiny', 'cache')), before);
});

test('a shard that another is at closes nothing that is open for the next one; a failure does', async () => {
  const log: string[] = [];
  const failed = new Set<string>();
  const tasks = ['1', '2, held', '3', '4, wrong', '5'].map((title) => ({ id: title, title }) as Task);
  const codes = { held: 'LOCKED', wrong: 'DATA_INVALID' } as const;
  const working = {
    ...{ store: path.join(root, 'none'), progress: silentProgress(), pauseMs: 1 },
    async runTask({ title }: Task, { kept }: TaskPlace) {
      kept!.close = async () => {
        log.push('closed');
      };
      const code = codes[title.split(', ')[1] as keyof typeof codes];
      if (code === undefined || failed.has(title)) {
        log.push(title);
        return { state: 'done' as const };
      }
      failed.add(title);
      throw new BenchError(code, title);
    },
  };
  await workBeside(tasks, working);
  assert.deepEqual(log, ['1', '3', 'closed', '5', '2, held', 'closed']);
});

test('a task that fails holds back its own chain, and no other', async () => {
  const broken = request('mlr', 'train.epochs=3', 'train.batchSize=2', 'train.learningRate=1e38');
  const roots = await cellTasks([broken, request('dual-encoder')]);
  const { done, failed } = await workBeside(roots, {
    ...{ store: path.join(root, 'tiny', 'cache'), progress: silentProgress(), pauseMs: 1 },
  });
  assert.deepEqual(
    failed.map(({ task: { kind }, error }) => [kind, (error as BenchError).code]),
    [
      ['train', 'TRAINING_DIVERGED'],
      ['cell', 'TASK_FAILED'],
    ],
  );
  assert.ok(done.some(({ id }) => id === roots[1]!.id));
});

test('what is wrong with one of the runs is said before any of the others is worked on', async () => {
  const here = path.join(root, 'wrong');
  const [good, bad] = ['good', 'bad'].map((name) => path.join(here, name)) as [string, string];
  for (const folder of [good, bad]) await writeTinyCollection(folder);
  await writeFile(path.join(bad, 'corpus.jsonl'), '{"_id": 1');
  const cache = path.join(here, 'cache');
  const values = {
    ...{ arch: 'bm25', dataset: 'beir:good,beir:bad', cache },
    data: [`beir:good=${good}`, `beir:bad=${bad}`],
  };
  await assert.rejects(
    work.run(values, [], () => undefined),
    (error: BenchError) => error.code === 'DATA_INVALID' && /1 of 2 runs cannot begin/.test(error.message),
  );
  // What was found out about the collection that could be read.
  assert.ok((await artifacts(cache)).every((file) => file.startsWith('findings/')));
});

test('a task of another program or another class of machines is refused', async () => {
  const [task] = (await cellTasks([request('bm25')])) as [Task];
  for (const other of [{ program: '0.0.1' }, { computeClass: 'linux arm64 neon' }]) {
    await assert.rejects(runTask({ ...task, ...other }, place()), (error: BenchError) => {
      assert.equal(error.code, 'UNAVAILABLE');
      assert.match(error.message, new RegExp(Object.values(other)[0]!));
      return true;
    });
  }
});
