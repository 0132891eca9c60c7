#!/usr/bin/env node
/** The command `bench`. A subcommand is one file in cli/ and one line here; it is imported when it is asked for. */
import type { Command } from './cli/command.js';
import { parseJson } from './json.js';
import { printable } from './printable.js';

interface Entry {
  summary: string;
  load(): Promise<{ command: Command }>;
}

const commands: Readonly<Record<string, Entry>> = {
  run: {
    summary: 'train, encode, index, search and measure, then print what came out',
    load: () => import('./cli/run.js'),
  },
  work: {
    summary: 'a share of what run would do, on this machine, beside others that share its cache',
    load: () => import('./cli/work.js'),
  },
  worker: {
    summary: 'tasks of sweeps that a queue hands out, one after another',
    load: () => import('./cli/worker.js'),
  },
  queue: {
    summary: 'a queue of tasks on Redis or PostgreSQL: making it ready, counting, emptying',
    load: () => import('./cli/queue.js'),
  },
  plan: {
    summary: 'the tasks of a sweep, numbered, for a scheduler that takes arrays of jobs',
    load: () => import('./cli/plan.js'),
  },
  task: {
    summary: 'one task of a sweep, by its number or for the worker that starts it',
    load: () => import('./cli/task.js'),
  },
  train: {
    summary: 'the first stage of run alone: a checkpoint',
    load: () => import('./cli/train.js'),
  },
  mine: {
    summary: 'hard negatives for training, by a checkpoint or by BM25',
    load: () => import('./cli/mine.js'),
  },
  encode: {
    summary: 'an index of the passages, by a checkpoint',
    load: () => import('./cli/encode.js'),
  },
  search: {
    summary: 'hits of the queries in an index, as a TREC run',
    load: () => import('./cli/search.js'),
  },
  evaluate: {
    summary: 'measure a run that any system made, against qrels or a dataset',
    load: () => import('./cli/evaluate.js'),
  },
  fuse: {
    summary: 'one run of several, by reciprocal ranks or weighted scores',
    load: () => import('./cli/fuse.js'),
  },
  compare: {
    summary: 'which of several systems is better, by how much and how sure',
    load: () => import('./cli/compare.js'),
  },
  power: {
    summary: 'the smallest difference that a set of queries can show, and how many a difference needs',
    load: () => import('./cli/power.js'),
  },
  report: {
    summary: 'tables, charts and pages from run records',
    load: () => import('./cli/report.js'),
  },
  check: {
    summary: 'whether runs got worse than a stored baseline; for CI',
    load: () => import('./cli/check.js'),
  },
  export: {
    summary: 'a trained checkpoint for other tools: ONNX, or a Hugging Face folder',
    load: () => import('./cli/export.js'),
  },
  dataset: {
    summary: 'the files of a dataset: what is here, downloading, verifying, exporting qrels',
    load: () => import('./cli/dataset.js'),
  },
  convert: {
    summary: 'a run from one format to another: TREC, tevatron, DPR, BEIR',
    load: () => import('./cli/convert.js'),
  },
  reproduce: {
    summary: "the paper's tables and figures: every run behind one, beside what it prints",
    load: () => import('./cli/reproduce.js'),
  },
  list: {
    summary:
      'what there is: architectures, datasets, encoders, precisions, searchers, reports, measures, presets, ...',
    load: () => import('./cli/list.js'),
  },
  cache: {
    summary: 'what lies in the cache, by kind, dataset, system, size and age, and removing it',
    load: () => import('./cli/cache.js'),
  },
  doctor: {
    summary: 'what this machine has, what is missing, and the command that adds it',
    load: () => import('./cli/doctor.js'),
  },
};

function help(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(
    ([name, { summary }]) => `  bench ${name.padEnd(width)}  ${summary}`,
  );
  return `bench compares retrieval architectures for dense passage retrieval: accuracy, index size and latency.

Commands
${lines.join('\n')}

Examples
  bench run --arch mlr-sc --dataset sample
  bench run --arch dual-encoder,mlr-sc --dataset squad --seeds 1,2,3
  bench list architectures

'bench COMMAND --help' shows the options of a command, 'bench --version' the version.
Exit codes: 0 fine; 1 a regression was found; 2 the request was wrong; 3 the machine lacks something;
70 a bug in bench; 130 stopped by Ctrl-C.
`;
}

async function main([name, ...rest]: string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(help());
    return 0;
  }
  if (name === '--version') {
    const { readFile } = await import('node:fs/promises');
    const file = new URL('../../package.json', import.meta.url);
    process.stdout.write(`${(parseJson(await readFile(file, 'utf8')) as { version: string }).version}\n`);
    return 0;
  }
  const isHelp = rest.includes('--help') || rest.includes('-h');
  if (!isHelp) {
    const [{ handOver, newerProgram }, { leaseBuild }] = await Promise.all([
      import('./program/current.js'),
      import('./store/build-lease.js'),
    ]);
    const newer = await newerProgram(process.argv[1]);
    if (newer !== undefined) return handOver(newer);
    await leaseBuild();
  }
  const { BenchError, unknownName } = await import('./errors.js');
  if (name === undefined || name.startsWith('-')) {
    const seen = name === undefined ? 'and none was given' : `and '${name}' came first`;
    throw new BenchError('USAGE', `bench needs a command, ${seen}.`, {
      hint: "'bench --help' lists the commands.",
    });
  }
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry === undefined) throw unknownName('command', name, Object.keys(commands));
  const [{ command }, { execute }] = await Promise.all([entry.load(), import('./cli/command.js')]);
  return execute(name, command, rest);
}

/** The exit code of a bug: `bugExitCode` of errors.ts, which may be what cannot be imported. 1 says that something got worse. */
const crashed = 70;

function crash(error: unknown): never {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(printable(`This is a bug in bench; please report it with these lines.\n${stack}\n`));
  process.exit(crashed);
}

/** Says what ended the command. @returns the exit code */
async function fail(error: unknown): Promise<number> {
  // Not even the report can be imported where the files of the program are gone.
  const report = await import('./cli/failure.js').catch(() => undefined);
  return report === undefined ? crash(error) : report.reportFailure(error);
}

let isFailing = false;
// node ends with 1 where an error is thrown that nobody waits for.
process.on('uncaughtException', (error) => {
  if (isFailing) return;
  isFailing = true;
  void fail(error).then((code) => process.exit(code), crash);
});

// `bench list | head` closes the pipe early, which is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : crashed),
);

const exitCode = await main(process.argv.slice(2)).catch(fail);
// Native libraries may keep threads alive; whatever was printed goes out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
