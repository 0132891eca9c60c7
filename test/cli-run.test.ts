import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { runCommand } from '../harness/cli/run.js';
import { summarize } from '../harness/cli/summary.js';
import { BenchError } from '../harness/errors.js';
import type { RunRequest } from '../harness/pipeline.js';
import { listArchitectures } from '../harness/plugins.js';
import type { LatencyValues, RunRecord, StoredRecord } from '../harness/record.js';
import type { SweepOutcome } from '../harness/sweep.js';

/** Percentiles in ratio 1 : 2 : 3, so that a column in the wrong place shows. */
function latencyOf(p50Ms: number): LatencyValues {
  const interval = { low: p50Ms, high: p50Ms };
  return {
    meanMs: p50Ms,
    p50Ms,
    p95Ms: 2 * p50Ms,
    p99Ms: 3 * p50Ms,
    intervalsMs: { p50: interval, p95: interval, p99: interval },
    samplesMs: [p50Ms],
  };
}

/** A record as a run would leave it, with made-up figures. */
function recordOf({
  architecture,
  dataset,
  seed,
}: Pick<RunRequest, 'architecture' | 'dataset' | 'seed'>): RunRecord {
  const ids = [
    'answer@5',
    'answer@20',
    'answer@100',
    'success@5',
    'success@20',
    'success@100',
    'mrr@10',
    'ndcg@10',
    'recall@100',
  ];
  const measure = (mean: number) => ({ mean, higherIsBetter: true, description: '', perQuery: [mean] });
  return {
    schemaVersion: 1,
    benchVersion: '0.1.0',
    createdAt: '2026-01-01T00:00:00Z',
    command: [],
    status: 'ok',
    seed,
    preset: 'small',
    config: {},
    arch: { name: architecture, family: 'mlr', pooling: 'sc', layers: [1, 2], vectors: 2, lambda: 1 },
    dataset: {
      name: dataset,
      version: '1',
      licence: null,
      files: [],
      passageCount: 2067,
      split: 'test',
      counts: {},
    },
    device: {
      engine: 'onnx',
      device: 'cpu',
      searcher: 'exact',
      threads: 2,
      versions: {},
      git: null,
      machine: { cpu: '', cores: 2, availableCores: 2, memoryBytes: 1, os: '', node: '' },
    },
    stages: [],
    training: { epochs: [], bestEpoch: 0, execution: { seconds: 185.4, stepsPerSecond: 1 } },
    index: {
      kind: 'Flat',
      vectorsPerPassage: 1,
      rows: 2067,
      dimensions: 128,
      shards: 1,
      sizeBytes: { vectors: 1_048_576, identifiers: 0, offsets: 0, total: 1_048_576 },
      projectedBytes: 1,
      projectedPassages: 1,
    },
    queryIds: ['q'],
    measures: Object.fromEntries(ids.map((id, i) => [id, measure(0.5 + i / 100 + seed / 1000)])),
    latency: {
      queryIds: ['q'],
      rounds: 1,
      warmup: 0,
      interleavedWith: [],
      encode: latencyOf(4),
      search: latencyOf(0.5),
      total: latencyOf(5),
      warnings: ['the timer is coarse'],
    },
    warnings: [],
  };
}

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
    planRun: async (request: RunRequest) => ({ lines: [`train ${request.seed}`], config: request.config }),
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
  assert.equal(config.preset, 'small');
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

test('all stands for every architecture', async () => {
  const { requests } = await runWith('--arch', 'all', '--dataset', 'sample', '--json');
  assert.deepEqual(
    requests.map(({ architecture }) => architecture),
    (await listArchitectures()).map(({ name }) => name),
  );
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
  assert.match(printed, /^mlr-sc on sample, seed 1\n {2}train 1\nconfiguration\n\{\n/);
  assert.equal(printed.match(/^configuration$/gm)?.length, 1, 'one that is the same is not printed again');
});

test('the summary: percent, mean and deviation over seeds, cost; never wider than 100 letters', () => {
  const runs = [
    recordOf({ architecture: 'colbert-cls-avg', dataset: 'sample', seed: 10 }),
    recordOf({ architecture: 'colbert-cls-avg', dataset: 'sample', seed: 30 }),
    recordOf({ architecture: 'mlr-sc', dataset: 'sample', seed: 10 }),
  ];
  const text = summarize(runs);
  for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
  assert.match(text, /^sample, test: 1 queries, 2,067 passages\n/);
  assert.match(text, /^colbert-cls-avg +10 +51\.0 +52\.0 +53\.0/m);
  assert.match(text, /^colbert-cls-avg +30 +53\.0 +54\.0/m);
  // 51.0 and 53.0: mean 52, deviation with n - 1 the root of 2.
  assert.match(text, /^colbert-cls-avg +mean of 2 +52\.0±1\.4 /m);
  assert.match(
    text,
    /^mlr-sc +10 +1 +1\.0 MiB +4\.0\/8\.0\/12\.0 +0\.50\/1\.0\/1\.5 +3 min 05 s +onnx cpu exact$/m,
  );
  assert.equal(text.match(/note: the timer is coarse/g)?.length, 1);
});

test('a run that failed, and a system that has no cost, still have their rows', () => {
  const {
    index: _index,
    latency: _latency,
    training: _training,
    ...bare
  } = recordOf({
    architecture: 'mlr-sc',
    dataset: 'sample',
    seed: 1,
  });
  const failed = {
    ...bare,
    status: 'failed',
    measures: {},
    error: { code: 'DISK_FULL', message: 'full' },
  } as RunRecord;
  assert.match(summarize([failed]), /^mlr-sc +1 +- +- +- +- +- +failed: DISK_FULL$/m);
  assert.match(summarize([bare]), /^mlr-sc +1 +- +- +- +- +- +onnx cpu exact$/m);
});
