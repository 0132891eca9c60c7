/**
 * The process that gives inputs to a loader, one after another. Before each it notes the number of the input in a file, so that
 * whoever started it knows which one it hangs on or died of. Started by watched-child.ts alone.
 */
import './small-blocks.js';
import { openSync, readdirSync, writeSync } from 'node:fs';
import { stream } from '../../harness/random.js';
import { allLoaders, type Files, type Loader } from './loader.js';
import { mutatedInput } from './mutations.js';
import {
  type Fault,
  type FaultKind,
  limits,
  type Outcome,
  outcomeOf,
  signatureOf,
  textOf,
  unpacked,
} from './outcome.js';
import { Scratch } from './scratch.js';

/** Inputs of one loader, from a number up to another; or one that was saved. */
export interface Block {
  loader: string;
  seed: number;
  from: number;
  to: number;
  /** Time to stop at, in milliseconds since 1970, after one input at least. An infinite one arrives as null: JSON has none. */
  untilMs?: number | null;
  /** What counts as a hang, where not the usual. */
  hangSeconds?: number | undefined;
  replay?: Record<string, string>;
}

export interface BlockResult {
  done: number;
  accepted: number;
  refused: Record<string, number>;
  slowestMs: number;
  memoryMiB: number;
}

export type FromChild = { fault: Fault } | { result: BlockResult };

const [root, noteFile, folder] = process.argv.slice(2) as [string, string, string];
const scratch = new Scratch(root);
const note = openSync(noteFile, 'r+');
const noted = new Float64Array(1);
const loaders = new Map((await allLoaders(folder)).map((loader) => [loader.name, loader]));
let current: { loader: Loader; inputs: readonly Files[] } | undefined;
/** What is thrown where nobody waits for it. */
let thrown: { error: unknown } | undefined;
process.on('uncaughtException', (error) => {
  thrown = { error };
});
process.on('unhandledRejection', (error) => {
  thrown = { error };
});

const send = (message: FromChild) => process.send!(message);
const memoryMiB = () => process.resourceUsage().maxRSS / 1024;
const openFiles = () => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

function noteNumber(number: number): void {
  noted[0] = number;
  writeSync(note, new Uint8Array(noted.buffer), 0, 8, 0);
}

async function inputsOf(name: string): Promise<{ loader: Loader; inputs: readonly Files[] }> {
  if (current?.loader.name !== name) {
    const loader = loaders.get(name)!;
    current = { loader, inputs: await loader.inputs() };
    scratch.clear();
  }
  return current;
}

async function run(block: Block): Promise<BlockResult> {
  const { seed, from, to, replay } = block;
  const untilMs = block.untilMs ?? Number.POSITIVE_INFINITY;
  const { loader, inputs } = await inputsOf(block.loader);
  const result: BlockResult = { done: 0, accepted: 0, refused: {}, slowestMs: 0, memoryMiB: 0 };
  const before = openFiles();
  const report = (number: number, kind: FaultKind, error: unknown) =>
    send({
      fault: {
        loader: loader.name,
        seed,
        number,
        kind,
        signature: signatureOf(kind, error),
        text: textOf(error),
      },
    });
  for (let number = from; number < to && (number === from || Date.now() < untilMs); number++) {
    const made =
      replay === undefined
        ? mutatedInput(inputs, stream(seed, 'fuzz', loader.name, number))
        : { base: 0, files: unpacked(replay) };
    const folder = scratch.lay(made.base, made.files, loader.writes === true || replay !== undefined);
    thrown = undefined;
    noteNumber(number);
    const begun = performance.now();
    const outcome: Outcome = await outcomeOf(loader, folder);
    result.slowestMs = Math.max(result.slowestMs, performance.now() - begun);
    result.done++;
    if ('accepted' in outcome) result.accepted++;
    else if ('refused' in outcome)
      result.refused[outcome.refused] = (result.refused[outcome.refused] ?? 0) + 1;
    else report(number, outcome.kind, outcome.error);
    if (thrown !== undefined) report(number, 'error', (thrown as { error: unknown }).error);
    if (loader.writes || number % 16 === 0 || replay !== undefined) {
      const strayed = scratch.strayed(made.base, loader.writes !== true);
      if (strayed !== undefined) report(number, 'outside', strayed);
    }
    if (memoryMiB() > limits.memoryMiB) {
      report(number, 'memory', `more than ${limits.memoryMiB} MiB`);
      break;
    }
  }
  noteNumber(-1);
  await settled();
  if (thrown !== undefined) report(to - 1, 'error', (thrown as { error: unknown }).error);
  if (openFiles() > before + 8) report(from, 'open files', 'files stay open');
  result.memoryMiB = memoryMiB();
  return result;
}

// Nobody is left to tell.
process.on('disconnect', () => process.exit());
process.on('message', (block: Block) => {
  void run(block).then(
    (result) => send({ result }),
    (error: unknown) => {
      process.stderr.write(`fuzz: ${block.loader} cannot be run: ${textOf(error)}\n`);
      process.exit(9);
    },
  );
});
