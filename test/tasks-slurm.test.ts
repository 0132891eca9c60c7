/** A sweep on a real Slurm of one node, of which a worker is killed, ends with the bytes of one that ran alone. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { assertForCluster, without, words } from '../harness/cli/on-slurm.js';
import type { RunRecord } from '../harness/record.js';
import { assertHeldFiles, bench, killedRoot, sweepOf } from './killed-runs.js';
import { cli } from './places.js';
import { S3Server } from './s3-server.js';
import { type SlurmCluster, slurmMissing, startSlurm } from './slurm-cluster.js';

const missing = slurmMissing();

let root: string;
let cluster: SlurmCluster | undefined;
before(async () => {
  root = await killedRoot();
  if (missing === undefined) cluster = await startSlurm();
});
after(async () => {
  await cluster?.stop();
  await rm(root, { recursive: true, force: true });
});

/** Of trainings that last some seconds, so that there is a time amid them. */
const args = (here: string) => [...sweepOf(root, here, 'mlr-mix,bm25'), '--set', 'train.epochs=40'];

test('Slurm runs it, a worker that is killed goes on, and no byte is another', {
  skip: missing ?? false,
}, async () => {
  const [alone, shared] = [path.join(root, 'alone'), path.join(root, 'shared')];
  await bench(root, ['run', ...args(alone)]);
  const { env, call } = cluster!;
  const command = ['run', ...args(shared), '--on', 'slurm', '--workers', '2', '--sbatch=--nice=5', '--json'];
  const child = spawn(process.execPath, [cli, ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = once(child, 'close');
  let state = '';
  const until = untilEnded(ended, () => `${stderr}\n${state}`);
  const job = await until(() => /slurm: (\d+) works/.exec(stderr)?.[1]);
  // Amid a training the node is taken from a worker: Slurm kills it, and gives it another turn, of which it says when.
  const worker = await until(() => trainingWorker(shared));
  await call('scontrol', 'requeue', `${job}_${worker}`);
  await until(async () => {
    await call('scontrol', 'update', `JobId=${job}_${worker}`, 'StartTime=now').catch(() => undefined);
    state = await call('scontrol', 'show', 'job', `${job}_${worker}`).catch(String);
    return /Restarts=1/.test(state) && /JobState=(RUNNING|COMPLETED)\b/.test(state) ? true : undefined;
  });
  assert.deepEqual(await ended, [0, null], stderr);
  const records = JSON.parse(stdout) as RunRecord[];
  assert.equal(records.length, 4);
  for (const { stages } of records)
    assert.deepEqual(
      stages.filter(({ key, execution }) => key !== null && !execution.cached).map(({ name }) => name),
      [],
    );
  const files = await assertHeldFiles(shared, alone);
  assert.ok(files.length > 40);
});

test('with a store behind the cache, jobs put there what they make, and nothing is made for the run', {
  skip: missing ?? false,
}, async () => {
  const server = new S3Server();
  await server.start();
  const here = path.join(root, 'stored');
  const command = [
    ...['run', ...sweepOf(root, here, 'dual-encoder', '1'), '--on', 'slurm', '--workers', '1', '--json'],
    ...['--store', 's3://bench/sweep'],
  ];
  try {
    const child = spawn(process.execPath, [cli, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...server.environment(), BENCH_STORE: '', ...cluster!.env },
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => {
      stdout += data.toString();
    });
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    assert.deepEqual(await once(child, 'close'), [0, null], stderr);
    const { stages } = JSON.parse(stdout) as RunRecord;
    const manifests = server.keys('manifest.json');
    for (const { key, execution, name } of stages) {
      if (key === null) continue;
      assert.equal(execution.cached, true, name);
      assert.ok(
        manifests.some((each) => each.includes(key)),
        `${name} in\n${manifests.join('\n')}`,
      );
    }
    assert.deepEqual(server.keys('/leases/'), []);
  } finally {
    server.stop();
  }
});

test('scancel ends the jobs for good', { skip: missing ?? false }, async () => {
  const here = path.join(root, 'cancelled');
  const { env, call } = cluster!;
  const child = spawn(process.execPath, [cli, 'run', ...args(here), '--on', 'slurm', '--workers', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  const ended = once(child, 'close');
  const until = untilEnded(ended, () => said);
  const jobs = await until(() => /scancel (\d+ \d+)/.exec(said)?.[1]?.split(' '));
  await until(() => trainingWorker(here));
  await call('scancel', ...jobs);
  assert.deepEqual(await ended, [3, null], said);
  assert.match(said, /TASK_FAILED: Job \d+ ended and left no exit code/);
  assert.equal(await call('squeue', '--noheader'), '');
  assert.match(await call('scontrol', 'show', 'job', jobs[0]!), /Restarts=0/);
});

test('an element that fails holds back its own chain, and the summary says why', {
  skip: missing ?? false,
}, async () => {
  const here = path.join(root, 'failing');
  const command = [...sweepOf(root, here, 'mlr-mix,bm25'), '--set', 'train.learningRate=1e38'];
  const child = spawn(process.execPath, [cli, 'run', ...command, '--on', 'slurm', '--workers', '1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...cluster!.env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
  });
  assert.deepEqual(await once(child, 'close'), [2, null], stderr);
  assert.match(stdout, /^bm25 +2 seeds[\s\S]*^mlr-mix.*failed: TRAINING_DIVERGED/m);
  assert.match(stderr, /^mlr-mix on squad, seed 1:\nerror TRAINING_DIVERGED: .*the loss was NaN/m);
  const out = path.join(here, 'out');
  const names = (await readdir(out)).filter((name) => name.endsWith('.record.json'));
  const states = await Promise.all(
    names.map(async (name) => {
      const { arch, status } = JSON.parse(await readFile(path.join(out, name), 'utf8')) as RunRecord;
      return `${arch.name} ${status}`;
    }),
  );
  assert.deepEqual(states.sort(), ['bm25 ok', 'bm25 ok', 'mlr-mix failed', 'mlr-mix failed']);
});

test('where Slurm refuses the jobs, its own reason is said and none is left', {
  skip: missing ?? false,
}, async () => {
  const here = path.join(root, 'refused');
  const { env, call } = cluster!;
  const child = spawn(
    process.execPath,
    [cli, 'run', ...args(here), '--on', 'slurm', '--sbatch=--partition=nowhere'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } },
  );
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  assert.deepEqual(await once(child, 'close'), [3, null]);
  assert.match(said, /UNAVAILABLE: sbatch: .*invalid partition/i);
  assert.equal(await call('squeue', '--noheader'), '');
});

test('the command line of a worker is that of the run without what is not its own', () => {
  const argv = [
    '--arch',
    'a',
    '--on=slurm',
    '--json',
    '--workers',
    '2',
    '--set',
    'x=1',
    '--sbatch',
    '-p gpu',
    '--seeds=1',
  ];
  const names = { on: 'string', workers: 'string', sbatch: 'string', json: 'boolean' } as const;
  assert.deepEqual(without(argv, names), ['--arch', 'a', '--set', 'x=1', '--seeds=1']);
});

test('options of sbatch may be quoted, and are refused where there is no Slurm', () => {
  assert.deepEqual(words(` -p gpu  --comment="two words" --x='a"b' `), [
    ...['-p', 'gpu', '--comment=two words', '--x=a"b'],
  ]);
  assert.deepEqual(words(''), []);
  assert.throws(() => words(`--comment="two words`), { code: 'USAGE' });
  assert.doesNotThrow(() => assertForCluster({ on: 'slurm', workers: '2' }));
  assert.throws(() => assertForCluster({ workers: '2' }), { code: 'USAGE' });
  assert.throws(() => assertForCluster({ on: 'redis://localhost', sbatch: '-p x' }), { code: 'USAGE' });
  assert.doesNotThrow(() => assertForCluster({ on: 'redis://localhost', pinned: 'node7' }));
  for (const on of ['slurm', undefined])
    assert.throws(() => assertForCluster({ on, pinned: 'node7' }), { code: 'USAGE', hint: /--sbatch-run/ });
});

/** The worker that is amid a training, by its log: whichever Slurm starts first may have taken all of them. */
async function trainingWorker(here: string): Promise<number | undefined> {
  const below = path.join(here, 'out', 'slurm');
  const [folder = 'none yet'] = await readdir(below);
  for (const worker of [0, 1]) {
    const log = path.join(below, folder, `work-${worker}.log`);
    const said = await readFile(log, 'utf8').catch(() => '');
    if (/^train: (?![\s\S]*^done: train)/m.test(said)) return worker;
  }
  return undefined;
}

/** Looks until there is something to see. Fails where the command ends before. */
function untilEnded(ended: Promise<unknown>, said: () => string) {
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  return async <T>(look: () => T | undefined | Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      assert.ok(!isOver, said());
      await wait(200);
    }
  };
}
