import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groupSystems } from '../harness/comparison/systems.js';
import { prepareReport } from '../harness/comparison.js';
import { loadReport } from '../harness/plugins.js';
import type { StoredRecord } from '../harness/record.js';
import { checkAccuracy } from '../harness/regression/accuracy.js';
import { stored } from './made-records.js';

/** A record that holds an average rank too: between `rank` and `rank + spread - 1`. */
function ranked(arch: string, rank: number, spread: number): StoredRecord {
  const { file, record } = stored({ arch });
  const perQuery = record.queryIds.map((_, i) => rank + (i % spread));
  const mean = perQuery.reduce((sum, value) => sum + value, 0) / perQuery.length;
  const rankOf = { mean, higherIsBetter: false, description: 'made up', perQuery };
  return { file, record: { ...record, measures: { ...record.measures, 'average-rank': rankOf } } };
}

const only = (record: StoredRecord) => groupSystems([record])[0]!;

test('a measure that is no share is never shown in percent, and of ranks the smaller is better', async () => {
  const texts = {
    run: () => Promise.resolve({}),
    texts: () => Promise.resolve({}),
  };
  const report = await prepareReport(
    [ranked('dual-encoder', 8, 4), ranked('mlr-sc', 5, 3)],
    {
      measures: ['average-rank', 'mrr@10'],
      texts,
    },
    '0.1.0',
  );
  const text = await (await loadReport('markdown')).render(report);
  assert.match(text, /\| average-rank \| mrr@10 % \|/);
  assert.match(text, /\| average-rank \| queries \| paired t \| −3\.\d\d \| −3\.\d\d to −3\.\d\d \|/);
  const html = await (await loadReport('html')).render(report);
  assert.match(
    html,
    /<td class="text">average-rank<\/td><td class="group">−3\.\d\d<\/td><td>−3\.\d\d to −3\.\d\d<\/td>/,
  );
  assert.match(html, />accuracy<\/th>[\s\S]*>mrr<wbr>@10 %<\/th>/);
  assert.match(html, /mlr-sc is better on 200 queries, dual-encoder on 0, 0 are equal/);
  assert.match(html, /average-rank of every query: above the line system 1 does better, below it system 2/);
});

test('bench check says by how much a measure changed in its own unit', () => {
  const [before, now] = [ranked('dual-encoder', 5, 3), ranked('dual-encoder', 8, 4)];
  const checks = checkAccuracy(
    [
      {
        dataset: 'made, test',
        name: 'dual-encoder',
        baseline: only(before),
        current: only(now),
        changes: [],
      },
    ],
    { accuracyDrop: 0.02, significance: 0.05 },
  );
  const of = (measure: string) => checks.find(({ name }) => name === `accuracy ${measure}`)!;
  assert.deepEqual([of('average-rank').unit, of('average-rank').verdict], ['count', 'worse']);
  assert.match(of('average-rank').detail, /: \+3\.\d\d \(95 % \+3\.\d\d to \+3\.\d\d\), corrected p/);
  assert.equal(of('mrr@10').unit, 'share');
  assert.match(of('mrr@10').detail, /: \+0\.00 points/);
});
