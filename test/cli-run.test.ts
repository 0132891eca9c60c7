import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { runCommand } from '../harness/cli/run.js';
import { loadConfig } from '../harness/config/config.js';
import { BenchError } from '../harness/errors.js';
import { TimeEstimates, totalOf } from '../harness/pipeline/estimate/time-estimate.js';
import { planRun } from '../harness/pipeline/plan.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import type { RunRecord, StoredRecord } from '../harness/record.js';
import type { SweepOutcome } from '../harness/sweep.js';
import { listSystems } from '../harness/systems.js';
import { recordOf } from './run-records.js';

/** What goes wrong with a seed. */
const faults: Readonly<Record<number, BenchError>> = {
  13: new BenchError('TRAINING_DIVERGED', 'The loss is NaN.'),
  17: new BenchError('DISK_FULL', 'The disk is full.'),
  19: new BenchError('INTERRUPTED', 'Stopped.'),
};

/** Runs `bench run` over a pipeline that only notes what it is asked for. */
async function runWith(...argv: string[]) {
  const requests: RunRequest[] = [];
  let printed = '';
  const pipeline = {
    planRun: async (request: RunRequest) => {
      const error = faults[request.seed];
      if (error !== undefined) throw error;
      return { lines: [`train ${request.seed}`], config: request.config };
    },
    sweep: async (
      asked: readonly RunRequest[],
      _progress: unknown,
      told: (stored: StoredRecord, request: RunRequest) => void = () => undefined,
    ) => {
      const outcome: SweepOutcome = { records: [], failures: [] };
      for (const request of asked) {
        requests.push(request);
        const stored = { file: `${request.seed}.record.json`, record: recordOf(request) };
        const error = faults[request.seed];
        if (error?.code === 'INTERRUPTED') throw error;
        if (error === undefined) outcome.records.push(stored.record);
        else outcome.failures.push({ request, error });
        const { code, message } = error ?? {};
        told(
          error === undefined
            ? stored
            : {
                ...stored,
                record: { ...stored.record, status: 'failed', error: { code: code!, message: message! } },
              },
          request,
        );
      }
      return outcome;
    },
    timing: { TimeEstimates, totalOf },
  };
  const command = runCommand(async () => pipeline);
  let error: BenchError | undefined;
  let exitCode: number | undefined;
  try {
    exitCode = await execute('run', command, argv, (text) => {
      printed += text;
    });
  } catch (thrown) {
    error = thrown as BenchError;
  }
  return { requests, printed, error, exitCode };
}

test('a run for every dataset, architecture and seed, names given twice counting once', async () => {
  const { requests } = await runWith(
    ...['--arch', 'mlr-sc,dual-encoder,mlr-sc', '--dataset', 'sample', '--seeds', '1,2', '--offline'],
    ...['--set', 'train.epochs=1', '--set', 'arch.layers=1,2'],
  );
  assert.deepEqual(
    requests.map(({ architecture, dataset, seed }) => `${dataset} ${architecture} ${seed}`),
    ['sample mlr-sc 1', 'sample mlr-sc 2', 'sample dual-encoder 1', 'sample dual-encoder 2'],
  );
  const { offline, config, data } = requests[0]!;
  assert.deepEqual([offline, data, config.train.epochs, config.arch.layers], [true, undefined, 1, [1, 2]]);
  assert.deepEqual(config.preset, ['small']);
});

test('--json prints the record, an array where there are several, and nothing else', async () => {
  const one = await runWith('--arch', 'mlr-sc', '--dataset', 'sample', '--json');
  assert.equal((JSON.parse(one.printed) as RunRecord).arch.name, 'mlr-sc');
  const two = await runWith('--arch', 'mlr-sc', '--dataset', 'sample', '--seeds', '1,2', '--json');
  assert.deepEqual(
    (JSON.parse(two.printed) as RunRecord[]).map(({ seed }) => seed),
    [1, 2],
  );
});

const three = (...seeds: number[]) => [
  ...['--arch', 'mlr-sc', '--dataset', 'sample', '--json'],
  ...['--seeds', seeds.join(',')],
];

test('a run that fails is printed with its error, the others go on, and the exit code is the highest', async () => {
  const one = await runWith(...three(1, 13, 2));
  assert.deepEqual(
    (JSON.parse(one.printed) as RunRecord[]).map(({ seed, status }) => [seed, status]),
    [
      [1, 'ok'],
      [13, 'failed'],
      [2, 'ok'],
    ],
  );
  assert.equal(one.exitCode, 2);
  assert.equal((await runWith(...three(17, 13, 1))).exitCode, 3);
  assert.equal((await runWith(...three(1, 2))).exitCode, 0);
});

test('one run alone fails as any command does; an interrupt ends the sweep, and what was finished is printed', async () => {
  const alone = await runWith(...three(13));
  assert.equal(alone.error?.code, 'TRAINING_DIVERGED');
  assert.equal(alone.printed, '');
  const stopped = await runWith(...three(1, 19, 2));
  assert.equal(stopped.error?.code, 'INTERRUPTED');
  assert.deepEqual(
    (JSON.parse(stopped.printed) as RunRecord[]).map(({ seed }) => seed),
    [1],
  );
});

test('a plan refuses what the run would, says what is downloaded, and leaves out what plays no part', async () => {
  const loaded = loadConfig({ cwd: import.meta.dirname });
  const plan = (dataset: string, data?: string) =>
    planRun({
      architecture: 'bm25',
      dataset,
      seed: 1,
      offline: false,
      config: loaded,
      ...(data && { data }),
    });
  await assert.rejects(plan('dpr'), /one of several has to be named/);
  await assert.rejects(plan('sample', 'scifact'), /embedded/);
  await assert.rejects(plan('beir/robust04'), { code: 'PATH_INVALID', message: /is not public/ });
  const { lines, config } = await plan('squad');
  assert.match(lines[0]!, /downloaded unless in the cache: train-v1\.1\.json \(30\.3 MB\)/);
  assert.ok(config.bm25 !== undefined && config.train === undefined && config.model === undefined);
});

test('all stands for every architecture', async () => {
  const { requests } = await runWith('--arch', 'all', '--dataset', 'sample', '--json');
  assert.deepEqual(
    requests.map(({ architecture }) => architecture),
    (await listSystems()).map(({ name }) => name),
  );
});

test('a comma may stand in a path: what is no system, nor nearly one, belongs to the path before it', async () => {
  const asked = async (arch: string) => {
    const { requests, error } = await runWith('--arch', arch, '--dataset', 'sample', '--json');
    if (error !== undefined) throw error;
    return requests.map(({ architecture }) => architecture);
  };
  assert.deepEqual(await asked('run:a,b.trec,bm25'), ['run:a,b.trec', 'bm25']);
  assert.deepEqual(await asked('fuse:bm25+run:a,b.trec,mlr-sc, bm25'), [
    ...['fuse:bm25+run:a,b.trec', 'mlr-sc', 'bm25'],
  ]);
  await assert.rejects(asked('run:a.trec,bm52'), { code: 'UNKNOWN_NAME', message: /'bm52'.*'bm25'/ });
  await assert.rejects(asked('run:a.trec,,bm25'), { code: 'USAGE', message: /empty name/ });
});

test('--dry-run prints the plan and the configuration, and runs nothing', async () => {
  const { printed, requests } = await runWith(
    '--arch',
    'mlr-sc',
    '--dataset',
    'sample',
    '--seeds',
    '1,2',
    '--dry-run',
  );
  assert.deepEqual(requests, []);
  const plans = [1, 2].map((seed) => `mlr-sc on sample, seed ${seed}\n  train ${seed}\n`);
  assert.ok(printed.startsWith(`${plans.join('')}configuration\n{\n`), printed);
  assert.equal(printed.match(/^configuration$/gm)?.length, 1, 'it is the same for all');
});

test('--dry-run lists every run, those that are refused with the reason, and ends as the sweep would', async () => {
  const dry = (...seeds: number[]) =>
    runWith(...three(...seeds).filter((each) => each !== '--json'), '--dry-run');
  const { printed, exitCode } = await dry(13, 17, 1);
  assert.match(printed, /^mlr-sc on sample, seed 13\n {2}refused {3}TRAINING_DIVERGED: The loss is NaN\.\n/);
  assert.match(printed, /^mlr-sc on sample, seed 1\n {2}train 1$/m);
  assert.equal(exitCode, 3);
  assert.equal((await dry(13)).error?.code, 'TRAINING_DIVERGED');
  const asJson = JSON.parse((await runWith(...three(13, 1), '--dry-run')).printed) as {
    error?: { code: string };
    lines?: string[];
  }[];
  assert.deepEqual(
    asJson.map(({ error, lines }) => error?.code ?? lines),
    ['TRAINING_DIVERGED', ['train 1']],
  );
});
