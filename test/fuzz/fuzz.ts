/**
 * Gives mutated files to the readers of the program: `npm run fuzz -- LOADER`, or `--all`. See docs/robustness.md.
 */
import { readFileSync, rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nearestName } from '../../harness/errors.js';
import { builtProgram, keepCount, keptCounts } from './kept-counts.js';
import { allLoaders } from './loader.js';
import type { SavedInput } from './outcome.js';
import { type LoaderCount, memoryFolder, replay, runRound } from './round.js';
import { writeTable } from './table.js';

const usage = `npm run fuzz -- LOADER [--inputs N] [--seconds N] [--seed S[,S...]]
npm run fuzz -- --all [--inputs N] [--seconds N] [--seed S[,S...]] [--write-docs]
npm run fuzz -- LOADER --replay FILE
npm run fuzz -- --list

  --inputs N     how many, over all loaders and seeds
  --seconds N    how long, over all loaders and seeds
  --seed S       what the inputs are drawn from; the same seed gives the same inputs (1)
  --children N   processes at once (one a core)
  --out DIR      where inputs that fail are saved (results/fuzz)
  --counts FILE  keeps the counts there: the same command goes on behind them when it was stopped
  --write-docs   puts the counts into docs/robustness.md`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    all: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    inputs: { type: 'string' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    children: { type: 'string' },
    out: { type: 'string', default: 'results/fuzz' },
    replay: { type: 'string' },
    counts: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
  },
});

function refuse(message: string): never {
  process.stderr.write(`${message}\n\n${usage}\n`);
  process.exit(2);
}

function whole(name: 'inputs' | 'seconds' | 'children', text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d*$/.test(text)) return text === undefined ? undefined : Number(text);
  refuse(`--${name} is '${text}', and a whole number above 0 is needed.`);
}

const loaders = await allLoaders();
const names = loaders.map(({ name }) => name);
if (values.help) {
  process.stdout.write(`${usage}\n`);
} else if (values.list) {
  process.stdout.write(`${names.join('\n')}\n`);
} else if (values.replay !== undefined) {
  process.exitCode = await showReplay(values.replay);
} else {
  process.exitCode = await fuzz();
}

async function showReplay(file: string): Promise<number> {
  const saved = JSON.parse(readFileSync(file, 'utf8')) as SavedInput;
  if (positionals[0] !== undefined && positionals[0] !== saved.loader)
    refuse(`${file} is an input of the loader '${saved.loader}', not of '${positionals[0]}'.`);
  const place = memoryFolder();
  try {
    const faults = await replay(saved, place);
    for (const { kind, text } of faults) process.stdout.write(`${kind}: ${text}\n`);
    if (faults.length === 0) process.stdout.write('no fault: taken, or refused as it should be\n');
    return faults.length === 0 ? 0 : 1;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

async function fuzz(): Promise<number> {
  const unknown = positionals.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const near = nearestName(unknown, names);
    refuse(`There is no loader '${unknown}'.${near === undefined ? '' : ` Did you mean '${near}'?`}`);
  }
  if (values.all === positionals.length > 0) refuse('Name loaders, or say --all.');
  const seeds = values.seed.split(',').map((text) => {
    if (!/^\d+$/.test(text)) refuse(`--seed is '${text}', and whole numbers are needed.`);
    return Number(text);
  });
  const chosen = values.all ? loaders : loaders.filter(({ name }) => positionals.includes(name));
  const inputs = whole('inputs', values.inputs);
  const seconds = whole('seconds', values.seconds);
  const children = whole('children', values.children);
  if (inputs === undefined && seconds === undefined)
    refuse('Say how many or how long: --inputs or --seconds.');
  const parts = chosen.length * seeds.length;
  const atOnce = children ?? (await import('node:os')).availableParallelism();
  if (values.counts !== undefined && (inputs === undefined || seconds !== undefined))
    refuse('--counts goes with --inputs alone: how many come in some seconds is another number each time.');
  const each = inputs === undefined ? Number.POSITIVE_INFINITY : Math.ceil(inputs / parts);
  const counted =
    values.counts === undefined
      ? []
      : keptCounts(values.counts, { seeds, inputs: each, program: builtProgram() }).filter(({ loader }) =>
          chosen.some(({ name }) => name === loader),
        );
  for (const count of counted) show(count);
  const counts = await runRound({
    loaders: chosen,
    seeds,
    inputs: each,
    counted,
    seconds: seconds === undefined ? Number.POSITIVE_INFINITY : (seconds * Math.min(parts, atOnce)) / parts,
    folder: values.out,
    children: atOnce,
    onLoader: (count) => {
      if (values.counts !== undefined) keepCount(values.counts, count);
      show(count);
    },
  });
  if (values['write-docs']) writeTable(counts, seeds);
  const faults = counts.reduce((sum, count) => sum + count.faults.length, 0);
  const total = counts.reduce((sum, count) => sum + count.inputs, 0);
  process.stdout.write(`${total} inputs of ${chosen.length} loaders: ${faults} faults\n`);
  const idle = counts.filter((count) => count.inputs === 0).map(({ loader }) => loader);
  if (idle.length > 0) process.stdout.write(`not run: ${idle.join(', ')}\n`);
  return faults === 0 && idle.length === 0 ? 0 : 1;
}

function show({
  loader,
  seed,
  inputs,
  accepted,
  slowestMs,
  memoryMiB,
  faults,
  unrepeated,
}: LoaderCount): void {
  const figures = `${inputs} inputs, ${accepted} taken, slowest ${slowestMs.toFixed(0)} ms, ${memoryMiB.toFixed(0)} MiB`;
  process.stdout.write(`${loader} (seed ${seed}): ${figures}, ${faults.length} faults\n`);
  for (const { fault, times, file } of faults)
    process.stdout.write(`  ${times} x ${fault.signature}\n    npm run fuzz -- ${loader} --replay ${file}\n`);
  for (const { number, kind } of unrepeated)
    process.stdout.write(`  input ${number}: a ${kind} that a fresh process did not show again\n`);
}
