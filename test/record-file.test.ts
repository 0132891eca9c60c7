/** The run record: written, read, gathered, compared without times. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { importSources } from '../harness/program/place.js';
import { shownCommand } from '../harness/program/shown-command.js';
import {
  bareArchitecture,
  describeMachine,
  newRecord,
  type RunRecord,
  readRecord,
  readRecords,
  withoutTimes,
  writeRecord,
} from '../harness/record.js';
import { recordOf } from './fixtures/record/run-record.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-record-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('a record that fills every field is written and read as it was', async () => {
  const file = path.join(folder, 'deep/er/full.record.json');
  await writeRecord(file, recordOf());
  assert.deepEqual(await readRecord(file), recordOf());
  assert.deepEqual(readdirSync(path.dirname(file)), ['full.record.json']);
});

test('what a run of another system leaves out, and what a failed run has not reached, may be absent', async () => {
  const { model: _, training: __, index: ___, latency: ____, run: _____, ...rest } = recordOf();
  const foreign: RunRecord = {
    ...rest,
    seed: null,
    preset: null,
    arch: { name: 'tag', family: null, pooling: null, layers: null, vectors: null, lambda: null },
    device: { ...rest.device, engine: null, device: null, searcher: null, threads: null, git: null },
  };
  const file = path.join(folder, 'foreign.record.json');
  await writeRecord(file, foreign);
  assert.deepEqual(await readRecord(file), foreign);
  const error = { code: 'TRAINING_DIVERGED', message: 'the loss is NaN at step 3' };
  await writeRecord(file, { ...rest, status: 'failed', error, queryIds: [], measures: {} });
  assert.equal((await readRecord(file)).error?.code, 'TRAINING_DIVERGED');
});

test('two runs of the same thing are equal without times, and nothing else is taken away', () => {
  assert.notDeepEqual(recordOf(1), recordOf(2));
  assert.deepEqual(withoutTimes(recordOf(1)), withoutTimes(recordOf(2)));
  const left = withoutTimes(recordOf()) as unknown as RunRecord;
  assert.deepEqual(left.measures, recordOf().measures);
  assert.deepEqual(left.training!.epochs[0], { epoch: 0, steps: 10, loss: 0.5, dev: { crossEntropy: 0.4 } });
  assert.deepEqual(left.stages[0], { name: 'train', key: 'k1' });
  assert.deepEqual(left.config, { train: { epochs: 2 }, measures: ['mrr@10'] });
  assert.equal(left.device.engine, 'onnx');
  for (const change of [{ seed: 1 }, { warnings: [] }, { queryIds: ['q1', 'q3'] }]) {
    assert.notDeepEqual(withoutTimes({ ...recordOf(), ...change }), withoutTimes(recordOf()));
  }
});

test('an invalid record is not written, and what stood there before stays', async () => {
  const file = path.join(folder, 'kept.record.json');
  await writeRecord(file, recordOf());
  const before = readFileSync(file, 'utf8');
  for (const mean of [Number.NaN, Number.POSITIVE_INFINITY, 0.5]) {
    const measures = { mrr: { mean, higherIsBetter: true, description: '', perQuery: [1, 1] } };
    await assert.rejects(writeRecord(file, { ...recordOf(), measures }), { code: 'RECORD_INVALID' });
  }
  const measures = { mrr: { mean: 1, higherIsBetter: true, description: '', perQuery: [1, Number.NaN] } };
  await assert.rejects(
    writeRecord(file, { ...recordOf(), measures }),
    /perQuery\[1\] must be number, not NaN/,
  );
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('records are gathered from files and folders, each once, sorted, other files left alone', async () => {
  const results = path.join(folder, 'results');
  for (const name of ['b', 'sub/c', 'a'])
    await writeRecord(path.join(results, `${name}.record.json`), recordOf());
  writeFileSync(path.join(results, 'report.json'), '{}');
  writeFileSync(path.join(results, 'a.run.gz'), '');
  const other = path.join(folder, 'baseline.json');
  await writeRecord(other, recordOf(2));
  const stored = await readRecords([other, results, path.join(results, 'a.record.json')]);
  assert.deepEqual(
    stored.map(({ file }) => path.relative(folder, file)),
    [
      'baseline.json',
      'results/a.record.json',
      'results/b.record.json',
      path.join('results/sub/c.record.json'),
    ],
  );
  assert.deepEqual(stored[0]!.record, recordOf(2));
});

test('an empty folder and a missing file are said to be so', async () => {
  const empty = path.join(folder, 'empty');
  mkdirSync(empty);
  await assert.rejects(readRecords([empty]), {
    code: 'PATH_INVALID',
    message: `There is no run record in the folder ${empty}.`,
  });
  await assert.rejects(readRecords([path.join(folder, 'absent')]), { code: 'PATH_INVALID' });
  await assert.rejects(readRecord(path.join(folder, 'absent')), { code: 'PATH_INVALID' });
  await assert.rejects(readRecord(empty), { code: 'PATH_INVALID' });
});

test('the machine is described as a record wants it', async () => {
  const { benchVersion, git, machine } = await describeMachine();
  assert.equal(machine.cores, cpus().length);
  assert.equal(machine.node, process.versions.node);
  const root = fileURLToPath(new URL('../../', import.meta.url));
  assert.equal(benchVersion, JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).version);
  const record = recordOf();
  const file = path.join(folder, 'machine.record.json');
  await writeRecord(file, { ...record, benchVersion, device: { ...record.device, git, machine } });
  assert.deepEqual((await readRecord(file)).device.machine, machine);
});

test('no name and no password of an address that was typed stands in a record', async (t) => {
  const typed = [
    ...['run', '--on', 'redis://me:sesame@queue:6379/1?db=2', '--queue=postgres://me:sesame@db/bench'],
    ...[
      '--on=rediss://:ses#ame@queue',
      '--data',
      'beir=/a/b@c',
      '--arch',
      'endpoint:http://me:sesame@host/v1',
    ],
    ...['--store', 's3://bucket/sweeps'],
  ];
  const shown = [
    ...['run', '--on', 'redis://queue:6379/1', '--queue=postgres://db/bench'],
    ...['--on=rediss://...', '--data', 'beir=/a/b@c', '--arch', 'endpoint:http://host/v1'],
    ...['--store', 's3://bucket/sweeps'],
  ];
  assert.deepEqual(shownCommand(typed), shown);
  const { argv } = process;
  t.after(() => {
    process.argv = argv;
  });
  process.argv = [...argv.slice(0, 2), ...typed];
  const { command: _, ...findings } = recordOf();
  const { command } = await newRecord({ ...findings, arch: bareArchitecture('bm25') });
  assert.deepEqual(command, shown);
});

test('git facts: the commit, whether files differ, and nothing for a folder inside another checkout', async () => {
  const checkout = path.join(folder, 'checkout');
  mkdirSync(path.join(checkout, 'inside'), { recursive: true });
  const { gitFacts } = await importSources();
  assert.equal(await gitFacts(checkout), null);
  const git = (...command: string[]) =>
    execFileSync('git', ['-C', checkout, '-c', 'user.name=t', '-c', 'user.email=t@t', ...command], {
      encoding: 'utf8',
    });
  git('init', '--quiet');
  writeFileSync(path.join(checkout, 'file'), 'a');
  git('add', 'file');
  git('commit', '--quiet', '--message', 'first');
  const commit = git('rev-parse', 'HEAD').trim();
  assert.deepEqual(await gitFacts(checkout), { commit, dirty: false });
  writeFileSync(path.join(checkout, 'file'), 'b');
  assert.deepEqual(await gitFacts(checkout), { commit, dirty: true });
  assert.equal(await gitFacts(path.join(checkout, 'inside')), null);
});
