/** What a command takes of what the machine of a name has measured: its own, once, and as soon as it is there. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { measureAt, seekPinned } from '../harness/cli/on-pinned.js';
import { assertForCluster } from '../harness/cli/on-slurm.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { RunRecord, StoredRecord } from '../harness/record.js';
import { Store } from '../harness/store/store.js';
import { machineDoubt } from '../harness/sweep/recording.js';
import { isOf, latencyTask, madeOf, measure, measuredBy } from '../harness/tasks/latency.js';
import { assertPinnedName, type TaskQueue } from '../harness/tasks/queue.js';
import type { Task } from '../harness/tasks/task.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const root = mkdtempSync(path.join(tmpdir(), 'bench-latency-'));
const qrels = path.join(root, 'data', 'qrels', 'test.tsv');
let judged: string;
before(async () => {
  await writeTinyCollection(path.join(root, 'data'));
  judged = await readFile(qrels, 'utf8');
});
beforeEach(() => writeFile(qrels, judged));
after(() => rm(root, { recursive: true, force: true }));

const bm25 = (seed = 1, ...set: string[]) => tinyRequest(root, 'bm25', seed, ...set);
/** Of other judgements. */
const edit = () => writeFile(qrels, judged.replace('q0\tp0', 'q0\tp9'));

interface Job {
  readonly data: Task;
  state: 'waiting' | 'completed';
  work?: Promise<void>;
}

/** A queue whose worker is this process: it measures once somebody looks. */
class MadeQueue {
  readonly jobs = new Map<string, Job>();
  readonly measured: Task[] = [];

  constructor(readonly before: (task: Task) => Promise<boolean> = async () => true) {}

  readonly on = () => this;
  readonly off = () => this;
  readonly getJobCounts = async () => ({});
  readonly getJobs = async () => [];
  readonly getWorkers = async () => [];
  readonly remove = async (id: string) => void this.jobs.delete(id);
  readonly add = async (_: string, data: Task, { jobId }: { jobId: string }) => {
    if (!this.jobs.has(jobId)) this.jobs.set(jobId, { data, state: 'waiting' });
  };
  readonly getJob = async (id: string) => {
    const job = this.jobs.get(id);
    return job && { ...job, getState: async () => job.state };
  };
  readonly getJobState = async (id: string) => {
    const job = this.jobs.get(id);
    if (job?.state === 'waiting') {
      job.work ??= this.#work(job);
      await job.work;
    }
    return job?.state ?? 'unknown';
  };

  async #work(job: Job): Promise<void> {
    if (!(await this.before(job.data))) return;
    this.measured.push(job.data);
    await measure(job.data, job.data.latency!, new Store(path.join(root, 'cache')), silentProgress());
    job.state = 'completed';
  }

  get tasks(): TaskQueue & { readonly pinned: string } {
    return { pinned: 'here', queue: this } as never;
  }
}

async function command(
  queue: MadeQueue,
  requests: readonly RunRequest[],
  told: (stored: StoredRecord) => void = () => undefined,
  signal?: AbortSignal,
) {
  const notes: string[] = [];
  const progress = { ...silentProgress(signal), note: (line: string) => void notes.push(line) } as Progress;
  return { ...(await measureAt(queue.tasks, requests, progress, told)), notes };
}

async function asked(requests: readonly RunRequest[], pinned = 'here'): Promise<Task> {
  const made = [];
  for (const request of requests) made.push(await madeOf(request, silentProgress()));
  return latencyTask(requests, pinned, made);
}

test('each command measures anew, but takes what an equal one asked for and did not see the end of, once', async () => {
  const first = await asked([bm25()]);
  await wait(2);
  const second = await asked([bm25()]);
  assert.equal(first.title, 'latencies at here: bm25 on beir, seed 1');
  assert.equal(first.id, second.id);
  assert.notEqual(first.id, (await asked([bm25()], 'there')).id);
  assert.notEqual(first.leaves!.key, second.leaves!.key);
  await assert.rejects(measuredBy(first), {
    code: 'CACHE_INVALID',
    message: /is not in .*latencies at here/,
  });
  const queue = new MadeQueue();
  await queue.add('latency', first, { jobId: first.id });
  await queue.getJobState(first.id);
  const findings = new Store(path.join(root, 'cache')).folderOf('findings', first.leaves!.key);
  assert.ok(existsSync(findings));
  const taken = await command(queue, [bm25()]);
  assert.deepEqual(taken.failures, []);
  assert.equal(taken.records[0]!.device.machine.pinned, 'here');
  assert.ok(taken.notes.includes(`${first.title}: as another command asked for at ${first.latency!.asked}`));
  assert.deepEqual([queue.measured.length, queue.jobs.size, existsSync(findings)], [1, 0, false]);
  const anew = await command(queue, [bm25()]);
  assert.deepEqual([anew.records.length, queue.measured.length], [1, 2]);
});

test('what was measured of other data is no result of a command, whatever it was asked for', async () => {
  const queue = new MadeQueue();
  const old = await asked([bm25()]);
  await queue.add('latency', old, { jobId: old.id });
  await queue.getJobState(old.id);
  await edit();
  const { records, notes } = await command(queue, [bm25()]);
  const now = await madeOf(bm25(), silentProgress());
  assert.ok(isOf(now, records[0]!));
  assert.ok(!notes.some((line) => line.includes('another command')), notes.join('\n'));
  // The data change while it waits.
  await writeFile(qrels, judged);
  let isFirst = true;
  const changing = new MadeQueue(async () => {
    if (isFirst) await edit();
    isFirst = false;
    return true;
  });
  const changed = await command(changing, [bm25()]);
  assert.match(changed.notes.join('\n'), /is not of this command's data: .* It is measured anew/);
  assert.deepEqual([changed.failures, changing.measured.length], [[], 2]);
  assert.ok(isOf(now, changed.records[0]!));
  // The machine that measures sees others for good.
  let is = false;
  const unlike = new MadeQueue(async () => {
    is = !is;
    await (is ? edit() : writeFile(qrels, judged));
    return true;
  });
  await writeFile(qrels, judged);
  const refused = await command(unlike, [bm25()]);
  assert.deepEqual([refused.records.length, unlike.measured.length], [0, 2]);
  assert.equal((refused.failures[0]!.error as { code?: string }).code, 'CACHE_INVALID');
});

test('what is made of stages, and put together of systems, is known for its own', async () => {
  const names = ['mlr', 'rerank:bm25>mlr'];
  const requests = names.map((name) => tinyRequest(root, name, 1));
  const { records, failures, notes } = await command(new MadeQueue(), requests);
  assert.deepEqual([records.length, failures.map(({ error }) => error.message)], [2, []], notes.join('\n'));
  for (const request of requests) assert.ok((await madeOf(request, silentProgress())).hits);
});

test('two equal commands at once both end with their records', async () => {
  const queue = new MadeQueue();
  const both = await Promise.all([1, 2].map(() => command(queue, [bm25()])));
  assert.deepEqual(
    both.map(({ records, failures }) => [records.length, failures]),
    [1, 2].map(() => [1, []]),
  );
});

test('a queue that answers nothing holds no command that is told to stop, and one that forgets nothing fails none', async () => {
  const ending = new AbortController();
  const silent = Object.assign(new MadeQueue(), { getWorkers: () => new Promise(() => ending.abort()) });
  const seeking = seekPinned(silent.tasks, 'here', silentProgress(ending.signal));
  await assert.rejects(seeking, { code: 'INTERRUPTED' });
  const lasting = Object.assign(new MadeQueue(), {
    remove: async () => assert.fail('ECONNRESET'),
  });
  const { records, failures, notes } = await command(lasting, [bm25()]);
  assert.deepEqual([records.length, failures], [1, []]);
  assert.match(notes.join('\n'), /latencies at here: .*: it stays in the queue/);
});

test('a group is recorded once it is measured, while others wait', async () => {
  const ending = new AbortController();
  const told: string[] = [];
  const queue = new MadeQueue(async ({ request }) => request.seed === 1);
  const end = ({ file }: StoredRecord) => {
    told.push(file);
    ending.abort();
  };
  await assert.rejects(command(queue, [bm25(1), bm25(2)], end, ending.signal), { code: 'INTERRUPTED' });
  assert.equal(told.length, 1);
  assert.ok(existsSync(told[0]!));
  assert.deepEqual(
    [...queue.jobs.values()].map(({ data, state }) => [data.request.seed, state]),
    [[2, 'waiting']],
  );
});

test('with records alone what another machine timed is not taken', () => {
  const of = (pinned?: string, latency: object | undefined = {}) =>
    ({ latency, device: { machine: { ...(pinned && { pinned }) } } }) as RunRecord;
  for (const name of [undefined, 'here']) assert.equal(machineDoubt(of(name), name), undefined);
  assert.match(machineDoubt(of('here'), 'there')!, /those of here/);
  assert.match(machineDoubt(of('here'))!, /those of here/);
  assert.match(machineDoubt(of(), 'here')!, /those of the machine that recorded it/);
  assert.equal(machineDoubt({ ...of(), latency: undefined } as never, 'here'), undefined);
});

test('a run that cannot begin on the machine that measures fails by itself', async () => {
  const requests = [bm25(), tinyRequest(root, 'pretrained:./nowhere', 1)];
  const made = { dataset: {}, stages: [], hits: null, code: {} } as never;
  const task = await latencyTask(requests, 'here', [made, made]);
  const store = new Store(path.join(root, 'cache'));
  await measure(task, task.latency!, store, silentProgress());
  const [good, bad] = await measuredBy(task);
  const read = async (file: string | null | undefined) => JSON.parse(await readFile(file!, 'utf8'));
  assert.equal((await read(good)).status, 'ok');
  const failed = await read(bad);
  assert.deepEqual([failed.status, /nowhere/.test(failed.error.message)], ['failed', true]);
  assert.ok((await readdir(path.dirname(good!))).length >= 3);
});

test('the name of a machine is one before anything is planned', () => {
  for (const name of ['', 'a b', 'a@b', 'a:b', 'a/b', 'a'.repeat(25)]) {
    assert.throws(() => assertPinnedName(name), { code: 'USAGE' });
    assert.throws(() => assertForCluster({ on: 'redis://localhost', pinned: name }), { code: 'USAGE' });
  }
  assert.doesNotThrow(() => assertForCluster({ on: 'redis://localhost', pinned: 'gpu-7.rack_2' }));
});
