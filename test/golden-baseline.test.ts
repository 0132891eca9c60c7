import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { execute } from '../harness/cli/command.js';
import { command } from '../harness/cli/run.js';
import { loadConfig } from '../harness/config/config.js';
import type { RunRecord } from '../harness/record.js';
import { checkRegressions, readBaseline } from '../harness/regression.js';
import { temporaryFolder } from './made-index.js';
import { root } from './places.js';

const folder = path.join(root, 'test/golden');
const file = path.join(folder, 'baseline.json');
const settings = path.join(folder, 'bench.config.json');

test('the committed baseline is read, small, free of paths, and what CI compares with', async () => {
  const records = await readBaseline(file);
  assert.deepEqual(
    records.map(({ record }) => `${record.dataset.name} ${record.arch.name} ${record.seed}`),
    ['sample bm25 1', 'sample mlr-sc 1'],
  );
  assert.ok(statSync(file).size < 300_000);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /"(\/|[A-Z]:)[^"]*"/);
  const { check } = loadConfig({ cwd: root, file: settings });
  // What each of them learned or found is far from nothing, so that a loss of it would be seen.
  for (const { record } of records)
    assert.ok(record.measures['success@20']!.mean > 4 * check.accuracyDrop, record.arch.name);
  const commands = readFileSync(path.join(root, '.ci/run'), 'utf8');
  assert.match(
    commands,
    /bench run --arch bm25,mlr-sc --dataset sample --config test\/golden\/bench\.config\.json/,
  );
  assert.match(commands, /bench check --baseline test\/golden\/baseline\.json/);
});

/**
 * Far more than rounding does: with a learning rate that is off by 2e-5 of itself the losses move by 1.5e-5 and no query does.
 * Another kind of processor rounds sums of float32 otherwise, by about 1e-7.
 */
const rounding = 1e-4;

test('the program, run again, gives the figures of the committed baseline', async (t) => {
  const work = await temporaryFolder(t);
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  const places = ['--cache', path.join(work, 'cache'), '--out', path.join(work, 'out')];
  const given = ['--arch', 'bm25,mlr-sc', '--dataset', 'sample', '--config', settings];
  const asked = [...given, '--set', 'latency.queries=0', '--json', ...places];
  assert.equal(await execute('run', command, asked, print), 0);
  const made = JSON.parse(printed) as RunRecord[];
  const baseline = await readBaseline(file);
  assert.deepEqual(
    made.map(({ arch }) => arch.name),
    baseline.map(({ record }) => record.arch.name),
  );
  for (const [i, now] of made.entries()) {
    const { record: kept } = baseline[i]!;
    const name = now.arch.name;
    assert.deepEqual(now.queryIds, kept.queryIds, name);
    assert.deepEqual(now.index!.sizeBytes, kept.index!.sizeBytes, name);
    assert.deepEqual(Object.keys(now.measures), Object.keys(kept.measures), name);
    assert.deepEqual(now.dataset, kept.dataset, name);
    assert.deepEqual(now.arch, kept.arch, name);
    if (name === 'bm25') {
      // Nothing of it is float32 arithmetic that a processor may do in another order.
      assert.deepEqual(now.measures, kept.measures);
      continue;
    }
    const near = (value: number, expected: number, what: string) =>
      assert.ok(Math.abs(value - expected) <= rounding * expected, `${what}: ${value}, was ${expected}`);
    const epochs = now.training!.epochs;
    assert.deepEqual(
      epochs.map(({ epoch, steps }) => [epoch, steps]),
      kept.training!.epochs.map(({ epoch, steps }) => [epoch, steps]),
    );
    for (const [e, { loss, dev }] of epochs.entries()) {
      const before = kept.training!.epochs[e]!;
      near(loss, before.loss, `loss of epoch ${e}`);
      assert.deepEqual(Object.keys(dev), Object.keys(before.dev));
      near(dev.crossEntropy!, before.dev.crossEntropy!, `dev of epoch ${e}`);
    }
    assert.equal(now.training!.bestEpoch, kept.training!.bestEpoch);
    // No query may be won and none lost, but for one at whose passage two scores meet.
    const oneQuery = 1 / kept.queryIds.length;
    for (const [id, { mean }] of Object.entries(kept.measures)) {
      const off = Math.abs(now.measures[id]!.mean - mean);
      assert.ok(off <= oneQuery * (1 + 1e-9), `${id}: ${now.measures[id]!.mean}, was ${mean}`);
    }
  }
  const { check } = loadConfig({ cwd: root, file: settings });
  const checks = checkRegressions(
    baseline,
    made.map((record) => ({ file: record.arch.name, record })),
    check,
  );
  const other = checks.filter(({ verdict }) => verdict !== 'same');
  // Nothing was timed here, which is for CI's own run.
  assert.deepEqual(
    other.map(({ name, verdict }) => [name, verdict]),
    [
      ['latency', 'not compared'],
      ['latency', 'not compared'],
    ],
  );
  assert.equal(checks.length, 2 * 4);
});
