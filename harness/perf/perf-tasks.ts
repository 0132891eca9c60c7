/**
 * `npm run perf -- tasks [WORKERS] [SEEDS] [MEAN_MS]`: the tasks of table 2 of the paper, 40,896 of them for eight seeds, through a
 * Redis on loopback and workers of bench, with made times in proportion to those of the paper: how long the workers stand idle,
 * beside a schedule without a queue, and what handing out one task takes. No work is done.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { closing } from '../closing.js';
import { computeClass } from '../program/compute-class.js';
import type { GridTask } from '../reproduction/grid-tasks.js';
import { schedule } from '../reproduction/schedule.js';
import { median } from '../statistics/summary.js';
import { keyOf } from '../store/hash.js';
import { manifestFile } from '../store/manifest.js';
import { TaskChildren } from '../tasks/children.js';
import { programHere, type Task } from '../tasks/task.js';
import { wholeCount } from './counts.js';
import { inFolder } from './made-folder.js';
import { paperTasks, simulate } from './made-tasks.js';

const mostOverheadMs = 50;

export default async function perfTasks(given: readonly string[]): Promise<void> {
  const [workers, seeds, meanMs] = (['workers', 'seeds', 'mean ms'] as const).map((what, i) =>
    wholeCount(what, given[i] ?? [16, 8, 100][i]!),
  ) as [number, number, number];
  const tasks = await paperTasks(seeds);
  const hours = (task: GridTask) => task.hours[1];
  const msPerHour = (meanMs * tasks.length) / tasks.reduce((sum, task) => sum + hours(task), 0);
  const msOf = (task: GridTask) => msPerHour * hours(task);
  const ideal = schedule(tasks, workers, msOf);

  const empty = await withRedis(async (url) => simulate(url, await paperTasks(1), 1, () => 0));
  const eachMs = empty.wallMs / empty.done.size;
  console.log(
    `${empty.done.size} empty tasks, one worker: ${eachMs.toFixed(1)} ms to hand out each${eachMs > mostOverheadMs ? `  MORE THAN ${mostOverheadMs} ms` : ''}`,
  );
  const { first, next } = await processTimes();
  console.log(
    `a process that finds its task done: ${first.toFixed(0)} ms for the first, its start in it; ${next.toFixed(1)} ms for each that follows, median of 20${next > mostOverheadMs ? `  MORE THAN ${mostOverheadMs} ms` : ''}`,
  );

  const { done, failed, wallMs, busyMs } = await withRedis((url) => simulate(url, tasks, workers, msOf));
  const twice = [...done.values()].filter((times) => times > 1).length;
  console.log(
    `${done.size} of ${tasks.length} tasks of ${meanMs} ms on average, ${workers} workers: ${(wallMs / 1000).toFixed(0)} s; ${twice} done twice, ${Object.keys(failed).length} failed`,
  );
  const idle = 1 - busyMs / (workers * wallMs);
  console.log(
    `idle ${(100 * idle).toFixed(1)} % of the workers' time; ${(100 * ideal.idleShare).toFixed(1)} % and ${(ideal.length / 1000).toFixed(0)} s where handing out takes none`,
  );
}

/** What `bench worker` takes for a task beside its work, where it is the first of a run, and where it is another of the same run. */
async function processTimes(): Promise<{ first: number; next: number }> {
  const key = keyOf('made');
  const task = {
    ...{ kind: 'encode', title: 'one that is done', request: {}, artifact: key, piece: 0 },
    ...{ leaves: { kind: 'shards', key }, program: await programHere(), computeClass: computeClass() },
  } as unknown as Task;
  const times: number[] = [];
  await inFolder('tasks', async (store) => {
    const folder = path.join(store, 'shards', key);
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(folder, manifestFile), '{}');
    await closing(new TaskChildren(), async (children) => {
      for (let turn = 0; turn <= 20; turn++) {
        const started = performance.now();
        const asked = { task, store, failed: {} };
        const { state } = await children.run(asked, () => undefined, new AbortController().signal);
        if (state !== 'done') throw new Error(`The task is not done, but ${state}.`);
        times.push(performance.now() - started);
      }
    });
  });
  return { first: times[0]!, next: median(times.slice(1)) };
}

/** A Redis of its own on loopback, that keeps nothing. */
const withRedis = <T>(work: (url: string) => Promise<T>): Promise<T> =>
  inFolder('redis', (folder) => besideRedis(folder, work));

async function besideRedis<T>(folder: string, work: (url: string) => Promise<T>): Promise<T> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  const argv = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const child = spawn('redis-server', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const failure = once(child, 'error').then(([error]) => Promise.reject(error as Error));
  void failure.catch(() => undefined);
  const ready = (async () => {
    let said = '';
    for await (const data of child.stdout) {
      said += String(data);
      if (said.includes('Ready to accept connections')) break;
    }
  })();
  try {
    await Promise.race([ready, failure]);
    return await work(`redis://127.0.0.1:${port}`);
  } finally {
    if (child.pid !== undefined && child.exitCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
  }
}
