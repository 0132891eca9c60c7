/**
 * A sweep on Slurm: an array of workers that share the store (`bench work`), and behind them the run that times and records
 * (`bench run`) on one node by itself. Slurm's own words: `sbatch`, array, dependency, requeue.
 */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { BenchError } from '../errors.js';
import type { Progress } from '../progress.js';
import { writeAtomic } from '../store/atomic.js';
import { makeFolder } from '../store/make-folder.js';

const execute = promisify(execFile);

export interface SlurmSweep {
  /** What `bench work` and `bench run` are called with, the same but for reports. */
  readonly work: readonly string[];
  readonly run: readonly string[];
  readonly workers: number;
  /** The user's own options of `sbatch`. */
  readonly sbatch: readonly string[];
  /** Those of the run, behind the others. */
  readonly sbatchRun?: readonly string[];
  /** Gets a folder of its own for scripts and logs; on a disk that every node sees. */
  readonly below: string;
}

export interface SlurmJobs {
  readonly work: string;
  readonly run: string;
}

/** How long before its end a job is told, so that it can save where it is. */
const noticeSeconds = 120;
/** How long squeue may fail before that is no restart of slurmctld any more. */
const patienceMs = 10 * 60_000;

/** @throws BenchError UNAVAILABLE where there is no Slurm, or it refuses the jobs */
export async function submit(sweep: SlurmSweep): Promise<SlurmJobs & { folder: string }> {
  const { below, workers, sbatch, sbatchRun = [] } = sweep;
  await makeFolder(below);
  // Who gives the same command at the same time must not take the exit code of another.
  const began = new Date().toISOString().replace(/[-:]|\.\d+Z$/g, '');
  const folder = await mkdtemp(path.join(below, `${began}-`));
  const scripts = { work: path.join(folder, 'work.sh'), run: path.join(folder, 'run.sh') };
  await writeScript(scripts.work, sweep.work);
  await writeScript(scripts.run, sweep.run, folder);
  const common = [
    ...['--parsable', '--requeue', '--open-mode=append', `--signal=B:USR1@${noticeSeconds}`],
    ...sbatch,
  ];
  const work = await slurm('sbatch', [
    ...[...common, `--array=0-${workers - 1}`, '--job-name=bench-work'],
    ...[`--output=${path.join(folder, 'work-%a.log')}`, scripts.work],
  ]);
  try {
    const run = await slurm('sbatch', [
      // Whatever became of them: a run that failed gets a record that says so, and the others are timed.
      ...[...common, ...sbatchRun, `--dependency=afterany:${idOf(work)}`, '--job-name=bench-run'],
      ...[`--output=${path.join(folder, 'run.log')}`, scripts.run],
    ]);
    return { work: idOf(work), run: idOf(run), folder };
  } catch (error) {
    await slurm('scancel', [idOf(work)]).catch(() => undefined);
    throw error;
  }
}

/** `123` or `123;cluster`. */
const idOf = (printed: string): string => printed.trim().split(';')[0]!;

/**
 * Says what becomes of the jobs until they have ended. What ends the watching leaves them.
 * @returns what the run printed, and its exit code
 * @throws BenchError INTERRUPTED; TASK_FAILED where the last job ended without a word; UNAVAILABLE where squeue failed for long
 */
export async function watch(
  jobs: SlurmJobs,
  folder: string,
  progress: Progress,
  { pauseMs = 5000, patience = patienceMs / pauseMs }: { pauseMs?: number; patience?: number } = {},
): Promise<{ printed: string; exitCode: number }> {
  let said = '';
  for (let failures = 0; ; ) {
    progress.checkInterrupted();
    const states = await statesOf(jobs).catch((error: unknown) => {
      if (!(error instanceof BenchError) || ++failures > patience) throw error;
      return error;
    });
    const now = states instanceof BenchError ? `${states.message}; it is asked again` : describe(states);
    if (now !== said) progress.note(`slurm: ${now}`);
    said = now;
    if (!(states instanceof BenchError)) {
      failures = 0;
      if (states.length === 0) break;
    }
    await wait(pauseMs);
  }
  const log = path.join(folder, 'run.log');
  const code = await readFile(path.join(folder, 'run.exit'), 'utf8').catch(() => undefined);
  if (code === undefined || !/^\d+\s*$/.test(code)) {
    throw new BenchError('TASK_FAILED', `Job ${jobs.run} ended and left no exit code.`, {
      hint: `It was cancelled or killed; its log: ${log}. The same command goes on.`,
    });
  }
  for (const failure of failuresIn(await readFile(log, 'utf8').catch(() => ''))) progress.note(failure);
  return { printed: await readFile(path.join(folder, 'run.out'), 'utf8'), exitCode: Number(code) };
}

/** Why runs failed, as `bench run` said it: a title where there are several, the error, and what to do. */
const failuresIn = (log: string): Set<string> =>
  new Set(log.match(/^(?:.+:\n)?error [A-Z_]+: .*(?:\nhint: .*)?/gm));

interface State {
  id: string;
  /** RUNNING, PENDING */
  state: string;
  reason: string;
}

async function statesOf({ work, run }: SlurmJobs): Promise<State[]> {
  // It says of ids that it has forgotten that they are invalid, so all of the user's are looked through.
  const listed = await slurm('squeue', ['--noheader', '--me', '--array', '--format=%F %i %T %r']);
  return listed
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([job]) => job === work || job === run)
    .map(([, id, state, ...reason]) => ({ id: id!, state: state!, reason: reason.join(' ') }));
}

function describe(states: readonly State[]): string {
  if (states.length === 0) return 'all jobs have ended';
  const counts = new Map<string, number>();
  for (const { state, reason } of states) {
    const what = `${state.toLowerCase()}${reason === 'None' ? '' : ` (${reason})`}`;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return [...counts].map(([what, count]) => `${count} ${what}`).join(', ');
}

/**
 * Told that its time is up, by USR1, the job saves where it is and goes back into the queue. TERM is what scancel sends: then it
 * saves, and ends for good.
 * @param into where the output and the exit code go; into the log where absent
 */
async function writeScript(file: string, argv: readonly string[], into?: string): Promise<void> {
  const command = [process.execPath, process.argv[1]!, ...argv].map(quoted).join(' ');
  const output = into === undefined ? '' : ` > ${quoted(path.join(into, 'run.out'))}`;
  const ended = into === undefined ? '' : `echo "$code" > ${quoted(path.join(into, 'run.exit'))}\n`;
  await writeAtomic(
    file,
    `#!/bin/bash
cd ${quoted(process.cwd())} || exit 3
${command}${output} &
job=$!
save() {
  kill -TERM "$job"
  wait "$job"
}
again() {
  save
  scontrol requeue "\${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}\${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
  exit 0
}
trap again USR1
trap 'save; exit 143' TERM
wait "$job"
code=$?
${ended}exit "$code"
`,
  );
  await chmod(file, 0o755);
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

async function slurm(command: string, argv: readonly string[]): Promise<string> {
  try {
    return (await execute(command, argv)).stdout;
  } catch (cause) {
    const { code, stderr = '' } = cause as NodeJS.ErrnoException & { stderr?: string };
    const reason = code === 'ENOENT' ? 'it is not on this machine' : stderr.trim() || String(cause);
    throw new BenchError('UNAVAILABLE', `${command}: ${reason}`, {
      hint:
        code === 'ENOENT'
          ? 'Give the command where jobs are submitted from, or run bench work on each machine.'
          : 'Slurm says why; options of your own go to --sbatch.',
      cause,
    });
  }
}
