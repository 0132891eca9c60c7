import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { checkRegressions, readBaseline } from '../harness/regression.js';
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
  const checks = checkRegressions(records, records, config.check);
  assert.ok(checks.length > 0 && checks.every(({ verdict }) => verdict === 'same'), JSON.stringify(checks));
  // What each of them learned or found is far from nothing, so that a loss of it would be seen.
  for (const { record } of records)
    assert.ok(record.measures['success@20']!.mean > 4 * config.check.accuracyDrop, record.arch.name);
  const commands = readFileSync(path.join(root, '.ci/run'), 'utf8');
  assert.match(commands, /bench check --baseline test\/golden\/baseline\.json/);
});
