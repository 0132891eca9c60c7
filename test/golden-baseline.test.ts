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

test('the committed baseline is read, small, free of paths, and what CI compares with', async () => {
  const file = path.join(folder, 'baseline.json');
  const records = await readBaseline(file);
  assert.deepEqual(
    records.map(({ record }) => `${record.dataset.name} ${record.arch.name} ${record.seed}`),
    ['sample bm25 1', 'sample mlr-sc 1'],
  );
  assert.ok(statSync(file).size < 300_000);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /"(\/|[A-Z]:)[^"]*"/);
  const config = loadConfig({ cwd: root, file: path.join(folder, 'bench.config.json') });
  const again = records.map(({ file, record }) => ({
    file,
    record: { ...record, createdAt: new Date().toISOString() },
  }));
  const checks = checkRegressions(records, again, config.check);
  assert.ok(checks.length > 0 && checks.every(({ verdict }) => verdict === 'same'), JSON.stringify(checks));
  // What each of them learned or found is far from nothing, so that a loss of it would be seen.
  for (const { record } of records)
    assert.ok(record.measures['success@20']!.mean > 4 * config.check.accuracyDrop, record.arch.name);
  const commands = readFileSync(path.join(root, '.ci/run'), 'utf8');
  assert.match(commands, /bench check --baseline test\/golden\/baseline\.json/);
});

test('BM25 gives the figures and the bytes of the committed baseline', async (t) => {
  const work = await temporaryFolder(t);
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  const places = ['--cache', path.join(work, 'cache'), '--out', path.join(work, 'out')];
  const config = ['--config', path.join(folder, 'bench.config.json'), '--set', 'latency.queries=0'];
  const asked = ['--arch', 'bm25', '--dataset', 'sample', '--json', ...config, ...places];
  assert.equal(await execute('run', command, asked, print), 0);
  const made = JSON.parse(printed) as RunRecord;
  const records = await readBaseline(path.join(folder, 'baseline.json'));
  const kept = records.find(({ record }) => record.arch.name === 'bm25')!.record;
  assert.deepEqual(made.measures, kept.measures);
  assert.deepEqual(made.index!.sizeBytes, kept.index!.sizeBytes);
});
