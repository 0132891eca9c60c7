/** Tables for a paper, columns that are named, values of every query. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportNames } from '../harness/plugins.js';
import type { StoredRecord } from '../harness/record.js';
import { formatEffect, formatSigned } from '../reports/format/numbers.js';
import { stored } from './made-records.js';
import { prepare, records, render } from './made-reports.js';

test('latex: booktabs, marks, and no character that acts as a command', async () => {
  const text = await render(
    'latex',
    await prepare([stored(), stored({ arch: 'a_b&c%$#{}~^\\', lift: 0.2 })]),
  );
  assert.match(text, /\\toprule[\s\S]*\\midrule[\s\S]*\\bottomrule/);
  assert.match(
    text,
    /a\\_b\\&c\\%\\\$\\#\\\{\\\}\\textasciitilde\{\}\\textasciicircum\{\}\\textbackslash\{\} &/,
  );
  assert.match(text, /\\textbf\{\d+\.\d\}\$\^\{\*\}\$/);
  const tables = text.split('\\begin{table}').slice(1);
  assert.equal(tables.length, 2);
  for (const table of tables) {
    const rows = table.split('\n').filter((line) => / \\\\$/.test(line) && !line.includes('multicolumn'));
    assert.ok(rows.length >= 3);
    assert.equal(new Set(rows.map((row) => row.split(/(?<!\\)&/).length)).size, 1);
  }
});

test('latex: intervals where markdown has them, on a line below', async () => {
  const one = await prepare([stored(), stored({ arch: 'mlr-sc', lift: 0.1 })]);
  const text = await render('latex', one);
  assert.match(text, /Below numbers of one seed.*: the 95~\\% interval/);
  assert.match(text, /^ & \{\\scriptsize \[\d+\.\d, \d+\.\d\]\} & \{\\scriptsize \[/m);
  const { low, high } = one.sections[0]!.systems[0]!.cells['answer@20']!.interval!;
  assert.ok(text.includes(`[${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`));
  // Of several seeds accuracy has its deviation instead.
  assert.doesNotMatch(await render('latex', await prepare(records)), /scriptsize/);
});

test('latex: four measures, the index and the search fit a column, with a caption and a label', async () => {
  const ids = ['answer@5', 'answer@20', 'answer@100', 'success@5', 'success@20', 'mrr@10', 'ndcg@10'];
  const many = (arch: string, lift: number): StoredRecord => {
    const { file, record } = stored({ arch, lift });
    const measure = record.measures['answer@20']!;
    return { file, record: { ...record, measures: Object.fromEntries(ids.map((id) => [id, measure])) } };
  };
  const text = await render('latex', await prepare([many('dual-encoder', 0), many('mlr-sc', 0.1)]));
  const heads = /^System(.*) \\\\$/m.exec(text)![1]!.split(' & ').slice(1);
  assert.deepEqual(heads, [
    ...['answer@20', 'answer@100', 'success@20', 'mrr@10'],
    ...['index', 'search ms'],
  ]);
  assert.match(
    text,
    /\\caption\{made 1, test: 200 queries, 1,000 passages\. Seed 1\. Bold[^}]*\}\n\\label\{tab:made-test\}/,
  );
  const own = await render('latex', await prepare(records, { title: 'Ours & theirs', label: 'tab:main' }));
  assert.match(own, /\\caption\{Ours \\& theirs\. 3 seeds\. Bold[^}]*\}\n\\label\{tab:main\}/);
});

test('columns: those that are named, in their order, in one table; one that no record has is refused', async () => {
  const report = await prepare(records, { columns: ['search-ms', 'mrr@10', 'search-p95-ms'] });
  const [section] = report.sections;
  assert.deepEqual(
    section!.columns.map(({ id, detail }) => [id, detail]),
    [
      ['search-ms', undefined],
      ['mrr@10', undefined],
      ['search-p95-ms', undefined],
    ],
  );
  assert.deepEqual(
    section!.comparisons.map(({ measures }) => measures.map(({ measure }) => measure)),
    [['mrr@10'], ['mrr@10']],
  );
  assert.deepEqual(
    section!.fronts.map(({ measure, cost }) => [measure, cost]),
    [['mrr@10', 'search-ms']],
  );
  for (const name of reportNames()) assert.ok((await render(name, report)).length > 0, name);
  const tex = await render('latex', report);
  assert.match(tex, /System & search ms & mrr@10 & search p95 ms/);
  await assert.rejects(prepare(records, { columns: ['mrr@10', 'serach-ms'] }), {
    message: /There is no column 'serach-ms'\. Did you mean 'search-ms'/,
  });
  const costs = await prepare(records, { columns: ['index-bytes'] });
  assert.deepEqual([costs.sections[0]!.comparisons, costs.sections[0]!.measure], [[], undefined]);
  for (const name of reportNames()) assert.ok((await render(name, costs)).length > 0, name);
});

test('per-query: a row for each query of each run, where the values are wanted', async () => {
  const two = [stored({ queries: 3 }), stored({ queries: 3, seed: 2, arch: '=mlr' })];
  const text = await render('per-query', await prepare(two));
  const [head, ...rows] = text.trimEnd().split('\n');
  assert.equal(head, 'dataset,version,split,system,seed,query,answer@20,mrr@10');
  const values = two[1]!.record.measures;
  assert.equal(rows.length, 6);
  assert.equal(
    rows[3],
    `made,1,test,'=mlr,2,q0,${values['answer@20']!.perQuery[0]},${values['mrr@10']!.perQuery[0]}`,
  );
  assert.equal((await prepare(two, { values: false })).sections[0]!.values, undefined);
});

test('the legend says nothing of what the table has not', async () => {
  const one = await render('latex', await prepare([stored({ arch: 'mlr-sc', lift: 0.1 })]));
  const legend = /\\caption\{(.*)\}\n/.exec(one)![1]!;
  assert.match(legend, /Latencies are medians/);
  assert.doesNotMatch(legend, /Bold|differs|pm|Holm/, legend);
  const two = ['dual-encoder', 'mlr-sc'].map((arch, i) => stored({ arch, lift: i / 10 }));
  const sized = await render('latex', await prepare(two, { columns: ['mrr@10', 'index-bytes'] }));
  assert.match(sized, /Bold is the best of a column\. \* differs from dual-encoder/);
  assert.doesNotMatch(sized, /Latencies|pm/);
});

test('a difference of which nothing is seen has no sign', () => {
  const of = (value: number) => formatSigned(value, 'share');
  assert.deepEqual(
    [of(0), of(-0.0001), of(0.0001), of(-0.01), of(0.01)],
    ['0.0', '0.0', '0.0', '−1.0', '+1.0'],
  );
  const effect = (value: number | null) => formatEffect({ name: 'd_z', value });
  assert.deepEqual([effect(-0.001), effect(-0.1), effect(null)], ['d_z 0.00', 'd_z −0.10', 'd_z ∞']);
});
