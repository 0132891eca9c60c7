/**
 * `npm run perf -- workers [PASSAGES [TURNS]]`: made passages (200,000) encoded in eight shards by one worker and by two that share a
 * store, one thread each, taking turns (3), each from the same checkpoint, in processes of their own that are timed from their start
 * to the last shard. Two should need at most 0.6 of one's time, and a task that follows another of its run at most 50 ms beside
 * encoding.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '../config/config.js';
import { parseJson } from '../json.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { type Progress, silentProgress } from '../progress.js';
import { mean } from '../statistics/summary.js';
import { waitForOthers } from '../store/lock.js';
import { manifestFile } from '../store/manifest.js';
import { workBeside } from '../tasks/by-store.js';
import { runTask, type TaskPlace } from '../tasks/run-task.js';
import { cellTasks, type Task } from '../tasks/task.js';
import { wholeCount } from './counts.js';
import { inFolder } from './made-folder.js';
import { MadeText } from './made-text.js';

const shards = 8;
const mostOfOne = 0.6;
const mostMs = 50;

/** Small, so that encoding is not all there is. */
const model = ['layers=2', 'dimensions=64', 'heads=2', 'intermediate=128'].map(
  (size) => `model.scratch.${size}`,
);

/** What a worker is told. */
interface Job {
  store: string;
  tasks: readonly Task[];
  worker: number;
}

async function writeCollection(folder: string, passages: number): Promise<void> {
  const made = new MadeText(20_000, 1);
  await mkdir(path.join(folder, 'qrels'), { recursive: true });
  const lines = (count: number, line: (i: number) => object) =>
    Array.from({ length: count }, (_, i) => `${JSON.stringify(line(i))}\n`).join('');
  const passage = (i: number) => ({ _id: `p${i}`, title: made.text(3), text: made.text(40) });
  await writeFile(path.join(folder, 'corpus.jsonl'), lines(passages, passage));
  const query = (i: number) => ({ _id: `q${i}`, text: made.text(6) });
  await writeFile(path.join(folder, 'queries.jsonl'), lines(20, query));
  for (const [i, split] of ['train', 'test'].entries()) {
    const judged = `query-id\tcorpus-id\tscore\nq${i}\tp${i}\t1\n`;
    await writeFile(path.join(folder, 'qrels', `${split}.tsv`), judged);
  }
}

function requestOn(root: string, data: string, passages: number): RunRequest {
  const config = loadConfig({
    cwd: root,
    set: [
      ...[`cache=${path.join(root, 'begun')}`, `out=${path.join(root, 'out')}`],
      ...[
        'threads=1',
        'engine=onnx',
        'train.epochs=0',
        ...model,
        `encode.shardPassages=${Math.ceil(passages / shards)}`,
      ],
    ],
  });
  return { architecture: 'dual-encoder', dataset: 'beir', data, seed: 1, offline: true, config };
}

/** Makes what encoding waits for. @returns tasks of the shards */
async function begin(request: RunRequest): Promise<readonly Task[]> {
  const [cell] = (await cellTasks([request])) as [Task];
  const place = { store: request.config.cache, failed: {}, progress: silentProgress() };
  for (;;) {
    const outcome = await runTask(cell, place);
    if (outcome.state === 'done') throw new Error('Nothing was left to encode.');
    if (outcome.for.every(({ kind }) => kind === 'encode')) return outcome.for;
    for (const task of outcome.for) await runTask(task, place);
  }
}

interface Spent {
  wallMs: number;
  /** Of all threads. */
  cpuMs: number;
}

/** @returns what is spent from now on, whenever it is asked */
function spending(): () => Spent {
  const [began, cpuBefore] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(cpuBefore);
    return { wallMs: performance.now() - began, cpuMs: (user + system) / 1e3 };
  };
}

/** What a worker says. */
interface Said {
  /** By task that it did, what was not spent encoding. */
  beside: Spent[];
  /** Of all its threads, which a machine that does other work too hardly changes. */
  cpuSeconds: number;
}

async function work({ store, tasks, worker }: Job): Promise<Said> {
  const silent = silentProgress();
  const encodings: Spent[] = [];
  const progress: Progress = {
    ...silent,
    stage(name, ...rest) {
      const stage = silent.stage(name, ...rest);
      const spent = spending();
      const end = () => {
        if (name === 'encode') encodings.push(spent());
        stage.end();
      };
      return { ...stage, end };
    },
  };
  // As `bench work` does: another task is taken instead.
  waitForOthers({ waits: false, job: progress });
  const beside: Spent[] = [];
  const timed = async (task: Task, place: TaskPlace) => {
    encodings.length = 0;
    const spent = spending();
    const outcome = await runTask(task, place);
    const { wallMs, cpuMs } = spent();
    // What another has done takes next to nothing.
    const [encoding] = encodings;
    if (encoding !== undefined)
      beside.push({ wallMs: wallMs - encoding.wallMs, cpuMs: cpuMs - encoding.cpuMs });
    return outcome;
  };
  const { failed } = await workBeside(tasks, { store, worker, progress, pauseMs: 1000, runTask: timed });
  for (const { error } of failed) throw error;
  const { user, system } = process.cpuUsage();
  return { beside, cpuSeconds: (user + system) / 1e6 };
}

interface Turn {
  /** From the start of the processes to the last shard. */
  seconds: number;
  workers: readonly Said[];
}

async function turn(begun: string, tasks: readonly Task[], workers: number): Promise<Turn> {
  const store = await mkdtemp(path.join(path.dirname(begun), 'store-'));
  await cp(begun, store, { recursive: true });
  const script = fileURLToPath(new URL('../perf.js', import.meta.url));
  const started = Date.now();
  const said = await Promise.all(
    Array.from({ length: workers }, async (_, worker) => {
      const job: Job = { store, tasks, worker };
      const child = spawn(process.execPath, [script, 'workers', JSON.stringify(job)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let printed = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        printed += text;
      });
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0) throw new Error(`A worker ended with ${code}.`);
      return parseJson(printed) as Said;
    }),
  );
  const made = tasks.map(async ({ leaves }) => {
    const { kind, key } = leaves!;
    return (await stat(path.join(store, kind, key, manifestFile))).mtimeMs;
  });
  const seconds = (Math.max(...(await Promise.all(made))) - started) / 1000;
  await rm(store, { recursive: true, force: true });
  return { seconds, workers: said };
}

export default async function perfWorkers([given, turns = '3']: readonly string[]): Promise<void> {
  if (given?.startsWith('{') === true) {
    console.log(JSON.stringify(await work(parseJson(given) as Job)));
    return;
  }
  const counts = { passages: wholeCount('passages', given ?? 200_000), turns: wholeCount('turns', turns) };
  const { passages } = counts;
  await inFolder('workers', async (root) => {
    const data = path.join(root, 'data');
    await writeCollection(data, passages);
    const request = requestOn(root, data, passages);
    const begun = request.config.cache;
    const tasks = await begin(request);
    console.log(
      `${passages} passages, ${tasks.length} tasks, ${availableParallelism()} cores, best of ${counts.turns}`,
    );
    const found: Record<1 | 2, Turn[]> = { 1: [], 2: [] };
    for (let i = 0; i < counts.turns; i++)
      for (const workers of [1, 2] as const) found[workers].push(await turn(begun, tasks, workers));
    tell(found, passages);
  });
}

function tell(found: Record<1 | 2, Turn[]>, passages: number): void {
  const best = (workers: 1 | 2) => Math.min(...found[workers].map(({ seconds }) => seconds));
  for (const workers of [1, 2] as const) {
    const rate = (passages / best(workers)).toFixed(0);
    console.log(`  ${workers} at work: ${best(workers).toFixed(2)} s, ${rate} passages a second`);
  }
  const share = best(2) / best(1);
  const cpuSeconds = (turns: readonly Turn[]) =>
    Math.min(...turns.map(({ workers }) => Math.max(...workers.map(({ cpuSeconds }) => cpuSeconds))));
  const cpuShare = cpuSeconds(found[2]) / cpuSeconds(found[1]);
  const beside = (which: (tasks: readonly Spent[]) => readonly Spent[], of: keyof Spent) =>
    Math.min(
      ...found[1].map(({ workers }) => mean(which(workers[0]!.beside).map(({ [of]: spent }) => spent))),
    );
  const first = (tasks: readonly Spent[]) => tasks.slice(0, 1);
  const others = (tasks: readonly Spent[]) => tasks.slice(1);
  const othersMs = beside(others, 'wallMs');
  const verdict = (isFine: boolean) => (isFine ? '' : '  MORE THAN WANTED');
  console.log(
    `two need ${share.toFixed(2)} of one's time, at most ${mostOfOne}${verdict(share <= mostOfOne)}`,
  );
  console.log(
    `  the longer one's processor time is ${cpuShare.toFixed(2)} of one's, whatever else the machine does`,
  );
  console.log(
    `beside encoding a task takes ${othersMs.toFixed(0)} ms, at most ${mostMs}, of which the processor ${beside(others, 'cpuMs').toFixed(0)} ms${verdict(othersMs <= mostMs)}`,
  );
  console.log(
    `  the first of a run, which opens the collection and the model: ${beside(first, 'wallMs').toFixed(0)} ms, the processor ${beside(first, 'cpuMs').toFixed(0)} ms`,
  );
}
