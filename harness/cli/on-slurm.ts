/** `bench run --on slurm`: the same command line, taken apart for the nodes of a cluster. */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BenchError } from '../errors.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { assertPinnedName } from '../tasks/queue.js';
import type { Command, Print, Values } from './command.js';
import { wholeNumber } from './request.js';
import { assertKeeps, assertMakesNothingAnew } from './sweep-request.js';

export const clusterOptions: Command['options'] = {
  on: {
    type: 'text',
    describe:
      "where the work is done: slurm (an array of 'bench work', and this command behind it), or the address of a queue that 'bench worker' serves, redis://HOST:6379 or postgres://HOST/DATABASE; --cache (or --store) and --out are shared",
  },
  pinned: {
    type: 'text',
    describe:
      "with --on a queue: the machine that measures latencies, by the name that its 'bench worker --pinned' has; this one if absent",
  },
  workers: { type: 'text', describe: 'with --on slurm: how many work at once, 4 if absent' },
  sbatch: {
    type: 'text',
    describe: "with --on slurm: options of your own: --sbatch='--partition=gpu --mem=32G'",
  },
  'sbatch-run': {
    type: 'text',
    describe:
      "with --on slurm: further ones of the last job, which times: --sbatch-run='--exclusive --nodelist=node7'",
  },
};

const own = { on: 'string', workers: 'string', sbatch: 'string', 'sbatch-run': 'string' } as const;
/** What a worker has no use for. */
const shown = { report: 'string', json: 'boolean', 'no-wait': 'boolean' } as const;

/** @returns the exit code of the run */
export async function runOnSlurm(
  values: Values,
  requests: readonly RunRequest[],
  progress: Progress,
  print: Print,
): Promise<number> {
  assertMakesNothingAnew(values);
  assertKeeps(requests);
  const workers = wholeNumber(values, 'workers') ?? 4;
  const [sbatch, sbatchRun] = [values.sbatch, values['sbatch-run']].map((text) => words(String(text ?? '')));
  const [{ submit, watch }, { assertRunnable }] = await Promise.all([
    import('../tasks/slurm.js'),
    import('../sweep/runnable.js'),
  ]);
  await assertRunnable(requests, progress, 'elsewhere');
  const given = process.argv.slice(3);
  const { folder, ...jobs } = await submit({
    ...{ work: ['work', ...without(given, { ...own, ...shown })], run: ['run', ...without(given, own)] },
    ...{ workers, below: path.resolve(requests[0]!.config.out, 'slurm') },
    ...{ sbatch: sbatch!, sbatchRun: sbatchRun! },
  });
  progress.note(
    `slurm: ${jobs.work} works, ${jobs.run} times and records; logs in ${folder}. Ctrl-C leaves them running, the same command goes on with what they made; scancel ${jobs.work} ${jobs.run} ends them.`,
  );
  const { printed, exitCode } = await watch(jobs, folder, progress);
  print(printed);
  return exitCode;
}

/** @throws BenchError USAGE for options of Slurm without it, for those of a queue without one, and for what is no name */
export function assertForCluster(values: Values): void {
  if (values.pinned !== undefined && (values.on === undefined || values.on === 'slurm')) {
    throw new BenchError('USAGE', '--pinned goes with --on redis://... or postgres://... only.', {
      hint: "On Slurm the last job measures: --sbatch-run='--exclusive --nodelist=NODE'. Without a queue it is this machine.",
    });
  }
  if (values.pinned !== undefined) assertPinnedName(String(values.pinned));
  const given = ['workers', 'sbatch', 'sbatch-run'].find((option) => values[option] !== undefined);
  if (given === undefined || values.on === 'slurm') return;
  throw new BenchError('USAGE', `--${given} goes with --on slurm only.`, {
    hint: 'On a queue as many work as there are: bench worker.',
  });
}

/**
 * The words of a text as a shell would read them: quotes keep blanks.
 * @throws BenchError USAGE for a quote that is not closed
 */
export function words(text: string): string[] {
  const quoted = /"([^"]*)"|'([^']*)'/g;
  if (/["']/.test(text.replace(quoted, ''))) {
    throw new BenchError('USAGE', `--sbatch has a quote that is not closed: ${text}`);
  }
  const found = text.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [];
  return found.map((word) => word.replace(quoted, '$1$2'));
}

/** A command line without some of its options. */
export function without(
  argv: readonly string[],
  names: Readonly<Record<string, 'string' | 'boolean'>>,
): string[] {
  const options = Object.fromEntries(Object.entries(names).map(([name, type]) => [name, { type }]));
  const { tokens } = parseArgs({
    ...{ args: [...argv], options, strict: false, allowPositionals: true, tokens: true },
  });
  const left = new Set<number>();
  for (const token of tokens) {
    if (token.kind !== 'option' || !Object.hasOwn(names, token.name)) continue;
    left.add(token.index);
    if (token.value !== undefined && token.inlineValue === false) left.add(token.index + 1);
  }
  return argv.filter((_, i) => !left.has(i));
}
