/** Latencies that the machine of one worker measures: runs that are made already, in turns, whole, and with nothing beside them. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { bareRequest, type RunRequest } from '../pipeline/run-request.js';
import { computeClass } from '../program/compute-class.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import { waitForOthers } from '../store/lock.js';
import { type Inputs, Store } from '../store/store.js';
import { collectionOf } from '../sweep/cell-lines.js';
import { sweep } from '../sweep.js';
import { programHere, type Task, type Together, taskBeside } from './task.js';

/** @param requests that take turns */
export async function latencyTask(requests: readonly RunRequest[], pinned: string): Promise<Task> {
  const beside = { program: await programHere(), computeClass: computeClass() };
  const bare = requests.map(bareRequest);
  const [first] = bare;
  const together = { pinned, requests: bare, asked: new Date().toISOString() };
  const artifact = keyOf({ made: 'latencies', requests: bare, pinned, ...beside });
  const systems =
    requests.length > 3
      ? counted(requests.length, 'systems')
      : requests.map(({ architecture }) => architecture).join(', ');
  return taskBeside(beside, {
    kind: 'latency',
    title: `latencies at ${pinned}: ${systems} on ${collectionOf(first!)}, seed ${first!.seed}`,
    ...{ request: first!, artifact, latency: together },
    leaves: { kind: 'findings', key: keyOf(inputsOf(artifact, together)) },
  });
}

const inputsOf = (of: string, { pinned, asked }: Together): Inputs => ({
  made: 'latencies 1',
  of,
  pinned,
  asked,
});

/** Measures, as a sweep on this machine alone, which makes what is not there any more. What one that was killed had measured does not count. */
export async function measure(
  task: Task,
  together: Together,
  store: Store,
  progress: Progress,
): Promise<void> {
  const { requests } = together;
  const make = async (folder: string) => {
    const out = path.join(folder, 'records');
    await rm(out, { recursive: true, force: true });
    const here = requests.map((request) => ({
      ...request,
      config: { ...request.config, cache: store.root, out },
    }));
    const files = requests.map((): string | null => null);
    // No run fails since another process is at what it needs.
    waitForOthers({ waits: true, job: progress });
    await sweep(here, progress, ({ file }, request) => {
      files[here.indexOf(request)] = path.basename(file);
    });
    return { files };
  };
  await store.artifact('findings', inputsOf(task.artifact!, together), make);
}

/**
 * The files of the records, in the order of the requests; null for a run that left none.
 * @throws BenchError CACHE_INVALID where they are not there any more, or damaged
 */
export async function measuredBy({ title, artifact, latency, request }: Task): Promise<(string | null)[]> {
  const { cache } = request.config;
  const gone = async (): Promise<{ files: (string | null)[] }> => {
    throw new BenchError('CACHE_INVALID', `What was measured is not in ${cache}: ${title}.`, {
      hint: 'The same command has it measured again. Do this command and its workers name one store?',
    });
  };
  const { folder, facts } = await new Store(cache).artifact('findings', inputsOf(artifact!, latency!), gone);
  return facts.files.map((name) => name && path.join(folder, 'records', name));
}
