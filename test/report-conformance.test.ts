/** What every report must keep, tried on every plug-in that the built reports/ folder holds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareReport } from '../harness/comparison.js';
import type { ReportCheck } from '../harness/contracts.js';
import { loadReport, reportNames } from '../harness/plugins.js';
import { stored } from './made-records.js';

const records = [stored(), stored({ arch: 'mlr-sc', lift: 0.1 }), stored({ arch: 'mlr', status: 'failed' })];

test('there are reports', () => assert.ok(reportNames().length > 0));

const check: ReportCheck = {
  ...{ system: 'mlr-sc', dataset: 'made', name: 'accuracy mrr@10', verdict: 'worse' },
  ...{ baseline: 0.5, current: 0.4, unit: 'share', detail: 'fell by 10 points' },
};

for (const name of reportNames()) {
  test(`${name}: describes itself, and renders runs, a failed one, checks, and nothing`, async () => {
    const { summary, extension, render } = await loadReport(name);
    assert.ok(summary.length > 0 && !summary.includes('\n'));
    assert.match(extension, /^[\w-]+(\.\w+)?$/);
    const report = await prepareReport(records, {}, '0.1.0');
    const before = JSON.stringify(report);
    for (const given of [report, { ...report, checks: [check] }, { ...report, sections: [] }]) {
      const text = await render(given);
      assert.ok(text === '' || text.endsWith('\n'), 'a text ends with a line break');
      assert.equal(await render(given), text, 'the same report gives the same text');
      assert.doesNotMatch(text, /\bundefined\b|\[object Object\]/);
    }
    assert.equal(JSON.stringify(report), before, 'a report changes nothing of what it is given');
  });
}
