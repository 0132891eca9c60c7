/** A round: every loader's inputs, spread over children, and what came of them. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { stream } from '../../harness/random.js';
import { type Loader, loadersFolder } from './loader.js';
import { mutatedInput } from './mutations.js';
import { type Fault, packed, type SavedInput } from './outcome.js';
import { WatchedChild } from './watched-child.js';

export interface RoundRequest {
  loaders: readonly Loader[];
  seeds: readonly number[];
  /** Of each loader and seed, at most. */
  inputs: number;
  /** For each loader and seed, of one child's time. */
  seconds: number;
  /** Where inputs that failed are saved. */
  folder: string;
  children?: number;
  /** Where the loaders lie, if not in their usual folder. */
  from?: string;
  /** What counts as a hang, where not the usual. */
  hangSeconds?: number;
  /** What was counted before: these loaders and seeds are not run again. */
  counted?: readonly LoaderCount[];
  onLoader(count: LoaderCount): void;
}

export interface LoaderCount {
  loader: string;
  seed: number;
  inputs: number;
  accepted: number;
  refused: Record<string, number>;
  slowestMs: number;
  memoryMiB: number;
  faults: FaultFound[];
  /** Hangs, deaths and memory that a fresh process did not show again. */
  unrepeated: Fault[];
}

/** A fault, how many inputs showed it, and where the first of them was saved. */
export interface FaultFound {
  fault: Fault;
  times: number;
  file: string;
}

const blockInputs = 200;
/** Beyond it a child is replaced, so that what it has gathered is not taken for an input's. */
const recycledMiB = 384;

interface Task {
  loader: Loader;
  seed: number;
  next: number;
  end: number;
  running: number;
  untilMs: number | undefined;
  count: LoaderCount;
  bySignature: Map<string, FaultFound>;
}

export async function runRound(request: RoundRequest): Promise<LoaderCount[]> {
  const tasks = request.loaders.flatMap((loader) =>
    request.seeds
      .filter((seed) => !request.counted?.some((count) => isCountOf(count, loader, seed)))
      .map((seed) => taskOf(loader, seed, request.inputs)),
  );
  const waiting = [...tasks];
  const place = memoryFolder();
  const children: WatchedChild[] = [];
  const stopped = () => {
    for (const child of children) child.kill();
    rmSync(place, { recursive: true, force: true });
    process.exit(130);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopped);
  const work = async (number: number) => {
    const child = new WatchedChild(path.join(place, String(number)), request.from ?? loadersFolder);
    children.push(child);
    try {
      for (;;) {
        // Where none is left untouched, another child's is shared.
        const task = waiting.shift() ?? tasks.find((each) => each.running > 0 && !isDone(each));
        if (task === undefined) return;
        task.running++;
        task.untilMs ??= Date.now() + request.seconds * 1000;
        while (!isDone(task)) await runBlock(task, child, request);
        if (--task.running === 0) await finish(task, place, request);
      }
    } finally {
      await child.close();
    }
  };
  try {
    const count = request.children ?? availableParallelism();
    await Promise.all(Array.from({ length: count }, (_, number) => work(number)));
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stopped);
    rmSync(place, { recursive: true, force: true });
  }
  return [...(request.counted ?? []), ...tasks.map(({ count }) => count)];
}

const isCountOf = (count: LoaderCount, { name }: Loader, seed: number): boolean =>
  count.loader === name && count.seed === seed;

/** A folder in memory where there is such a file system. */
export function memoryFolder(): string {
  return mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'strata-fuzz-'));
}

function taskOf(loader: Loader, seed: number, inputs: number): Task {
  const count = {
    inputs: 0,
    accepted: 0,
    refused: {},
    slowestMs: 0,
    memoryMiB: 0,
    faults: [],
    unrepeated: [],
  };
  return {
    ...{ loader, seed, next: 0, end: inputs, running: 0, untilMs: undefined, bySignature: new Map() },
    count: { loader: loader.name, seed, ...count },
  };
}

const isDone = ({ next, end, untilMs, count }: Task): boolean =>
  next >= end || (count.inputs > 0 && untilMs !== undefined && Date.now() >= untilMs);

async function runBlock(
  task: Task,
  child: WatchedChild,
  { folder, hangSeconds }: RoundRequest,
): Promise<void> {
  const { loader, seed, count } = task;
  const to = Math.min(task.end, task.next + blockInputs);
  let from = task.next;
  task.next = to;
  while (from < to) {
    let isMemory = false;
    const ended = await child.run(
      { loader: loader.name, seed, from, to, untilMs: task.untilMs!, hangSeconds },
      (fault) => {
        isMemory ||= fault.kind === 'memory';
        note(task, fault, folder);
      },
    );
    if ('at' in ended) {
      const number = Math.max(from, ended.at);
      const signature = `${ended.kind}: ${ended.text.split('\n')[0]}`;
      note(
        task,
        { loader: loader.name, seed, number, kind: ended.kind, signature, text: ended.text },
        folder,
      );
      count.inputs += number + 1 - from;
      from = number + 1;
      continue;
    }
    const { done, accepted, refused, slowestMs, memoryMiB } = ended.result;
    count.inputs += done;
    count.accepted += accepted;
    for (const [code, times] of Object.entries(refused))
      count.refused[code] = (count.refused[code] ?? 0) + times;
    count.slowestMs = Math.max(count.slowestMs, slowestMs);
    count.memoryMiB = Math.max(count.memoryMiB, memoryMiB);
    if (isMemory || memoryMiB > recycledMiB) await child.restart();
    from += done;
    if (Date.now() >= task.untilMs!) break;
  }
}

function note({ bySignature, loader }: Task, fault: Fault, folder: string): void {
  const known = bySignature.get(fault.signature);
  if (known !== undefined) {
    known.times++;
    return;
  }
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${loader.name}-${fault.seed}-${fault.number}.json`);
  bySignature.set(fault.signature, { fault, times: 1, file });
}

/** Saves the inputs that failed, and looks again at what could be the machine's doing. */
async function finish(
  { loader, bySignature, count }: Task,
  place: string,
  request: RoundRequest,
): Promise<void> {
  const valid = await loader.inputs();
  for (const found of bySignature.values()) {
    const { fault, file } = found;
    const { files } = mutatedInput(valid, stream(fault.seed, 'fuzz', loader.name, fault.number));
    writeFileSync(file, `${JSON.stringify({ ...fault, files: packed(files) } satisfies SavedInput)}\n`);
    const isOfProcess = ['hang', 'death', 'memory'].includes(fault.kind);
    if (
      isOfProcess &&
      (await replay({ ...fault, files: packed(files) }, place, request.from, request.hangSeconds)).length ===
        0
    ) {
      count.unrepeated.push(fault);
    } else count.faults.push(found);
  }
  request.onLoader(count);
}

/** Gives a saved input to a fresh child. @returns the faults that it shows, with what the loader said */
export async function replay(
  saved: SavedInput,
  place: string,
  from = loadersFolder,
  hangSeconds?: number,
): Promise<Fault[]> {
  const child = new WatchedChild(path.join(place, `replay-${saved.number}`), from);
  const { loader, seed, number } = saved;
  const faults: Fault[] = [];
  try {
    const block = { loader, seed, from: number, to: number + 1, replay: saved.files, hangSeconds };
    const ended = await child.run(block, (fault) => faults.push(fault));
    if ('at' in ended) {
      faults.push({ loader, seed, number, kind: ended.kind, signature: ended.kind, text: ended.text });
    }
  } finally {
    await child.close();
  }
  return faults;
}
