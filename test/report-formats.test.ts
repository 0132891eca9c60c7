import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportRequest } from '../harness/comparison.js';
import { BenchError } from '../harness/errors.js';
import { loadReport, reportNames } from '../harness/plugins.js';
import { stored } from './made-records.js';
import { prepare, records, render } from './made-reports.js';

test('every format that bench comes with has its ending', async () => {
  const endings = await Promise.all(
    ['csv', 'github', 'html', 'json', 'junit', 'latex', 'markdown', 'per-query'].map(
      async (name) => (await loadReport(name)).extension,
    ),
  );
  assert.deepEqual(endings, ['csv', 'txt', 'html', 'json', 'xml', 'tex', 'md', 'per-query.csv']);
});

test('the table: means over seeds, the best and the second, stars against the baseline', async () => {
  const { sections } = await prepare(records);
  const [section] = sections;
  assert.equal(section!.baseline, 'dual-encoder');
  assert.equal(section!.measure, 'answer@20');
  const row = (name: string) => section!.systems.find((system) => system.name === name)!.cells;
  const means = records
    .filter(({ record }) => record.arch.name === 'mlr-sc')
    .map(({ record }) => record.measures['mrr@10']!.mean);
  const mrr = row('mlr-sc')['mrr@10']!;
  assert.ok(Math.abs(mrr.value - (means[0]! + means[1]! + means[2]!) / 3) < 1e-12);
  assert.ok(mrr.interval!.low < mrr.value && mrr.value < mrr.interval!.high);
  assert.deepEqual([mrr.place, row('me-bert')['mrr@10']!.place], ['best', 'second']);
  assert.equal(mrr.significant!.overQueries, true);
  assert.equal(row('dual-encoder')['mrr@10']!.significant, undefined);
  // Bytes: the two of one vector share the first place, and the baseline is one of them.
  assert.deepEqual(
    ['dual-encoder', 'mlr-sc', 'me-bert'].map((name) => row(name)['index-bytes']!.place),
    ['best', 'best', 'second'],
  );
  assert.deepEqual(section!.fronts.find(({ cost }) => cost === 'index-bytes')!.systems, ['mlr-sc']);
});

test('markdown: a table that people and tools read', async () => {
  const text = await render('markdown', await prepare(records));
  assert.match(text, /^## made 1, test: 200 queries, 1,000 passages\n/);
  assert.match(text, /\| system \| seeds \| answer@20 % \| mrr@10 % \|/);
  const row = text.split('\n').find((line) => line.startsWith('| mlr-sc | 3 seeds |'))!;
  assert.match(row, /\| \*\*\d+\.\d±\d+\.\d\\\*†?\*\* \|/);
  assert.match(text, /<ins>[^<]+<\/ins>/);
  assert.match(text, /\\\* differs from dual-encoder over queries/);
  const tables = text.split('\n').filter((line) => line.startsWith('|'));
  const widths = new Set(tables.slice(0, 5).map((line) => line.split(/(?<!\\)\|/).length));
  assert.equal(widths.size, 1);
});

test('the slow queries: p95 and p99 of search with their intervals, in the second table and every format', async () => {
  const many = { queries: 1000, timed: 1000 };
  const report = await prepare([stored(many), stored({ ...many, arch: 'mlr-sc', lift: 0.1, slower: 2 })]);
  const [section] = report.sections;
  const [plain, slow] = section!.systems.map(({ cells }) => cells);
  const samples = stored(many).record.latency!.search!.samplesMs;
  for (const [id, share] of [
    ['search-p95-ms', 0.95],
    ['search-p99-ms', 0.99],
  ] as const) {
    assert.equal(section!.columns.find((column) => column.id === id)!.detail, true);
    const { value, interval, place } = plain![id]!;
    const above = samples.filter((ms) => ms > value).length;
    assert.ok(Math.abs(above - (1 - share) * samples.length) <= 1, `${id}: ${above}`);
    assert.ok(interval!.low <= value && value <= interval!.high && interval!.low < interval!.high);
    assert.equal(place, 'best');
    assert.ok(slow![id]!.value > 1.8 * value);
  }
  const text = await render('markdown', report);
  const details = text.slice(text.indexOf('### Costs in detail'));
  assert.match(details, /\| search p95 ms \| search p99 ms \|/);
  const interval = String.raw`\d\.\d+\*{0,2} \(\d\.\d+ to \d\.\d+\) \|`;
  assert.match(details, new RegExp(String.raw`${interval} \**${interval}`));
  assert.match(await render('csv', report), /,search-p95-ms,search-p95-ms low,search-p95-ms high,/);
  assert.match(await render('html', report), /search p99 ms<[\s\S]*<small>\d\.\d+ to \d\.\d+<\/small>/);
});

test('markdown: of one seed accuracy has its interval; the differences have effects and, of several seeds, a row over them', async () => {
  const one = await render('markdown', await prepare([stored(), stored({ arch: 'mlr-sc', lift: 0.1 })]));
  const row = one.split('\n').find((line) => line.startsWith('| mlr-sc | seed 1 |'))!;
  assert.match(row, /^\| mlr-sc \| seed 1 \| \*\*\d+\.\d\\?\*?\*\* \(\d+\.\d to \d+\.\d\) \|/);
  assert.match(one, /\| answer@20 \| queries \| McNemar exact \|.*\| odds ratio (\d+\.\d\d|∞) \|/);
  assert.doesNotMatch(one, /\| seeds \| paired t \|/);
  const three = await render('markdown', await prepare(records));
  assert.match(three, /over queries \(each with its mean over the seeds both have\), † over seeds/);
  for (const over of ['queries', 'seeds']) {
    const tested = new RegExp(
      `\\| mlr-sc \\| answer@20 \\| ${over} \\| paired t \\|.*\\| d\\\\_z \\d+\\.\\d\\d \\|`,
    );
    assert.match(three, tested);
  }
});

test('of two systems and one measure there is one test and one pair', async () => {
  const two = [stored(), stored({ arch: 'mlr-sc', lift: 0.1 })];
  const text = await render('markdown', await prepare(two, { measures: ['mrr@10'] }));
  assert.match(text, /corrected by Holm over 1 test\)/);
  assert.match(text, /corrected by Holm over 1 pair\)/);
  assert.doesNotMatch(text, /\b1 (tests|pairs)/);
});

test('csv: numbers in full, a formula in a name disarmed', async () => {
  const named = { ...stored({ arch: '=HYPERLINK("x"),1', seed: 1, lift: 0.1 }), file: 'x' };
  const report = await prepare([stored(), named]);
  const text = await render('csv', report);
  const [header, first, second, ...rest] = text.trimEnd().split('\n');
  assert.deepEqual(rest, []);
  const columns = header!.split(',');
  assert.equal(new Set(columns).size, columns.length);
  const value = stored().record.measures['mrr@10']!.mean;
  const cells = [...first!.matchAll(/(?:^|,)("(?:[^"]|"")*"|[^,]*)/g)].map(([, cell]) => cell);
  assert.equal(cells.length, columns.length);
  assert.equal(cells[columns.indexOf('mrr@10')], String(value));
  assert.match(second!, /,"'=HYPERLINK\(""x""\),1",/);
});

test('per-query: ids that are signed numbers stay what they are, and a formula is disarmed', async () => {
  const { file, record } = stored({ queries: 4, timed: 4 });
  const ids = ['-152', '+7', '-1+2', '=q1'];
  const named = { file, record: { ...record, queryIds: ids } };
  const text = await render('per-query', await prepare([named], { values: true }));
  const queries = text
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',')[5]);
  assert.deepEqual(queries, ['-152', '+7', "'-1+2", "'=q1"]);
});

test('html: the page tells queries apart that the table of tests tells apart', async () => {
  const seeds = [1, 2, 3].flatMap((seed) =>
    [99, 100].map((rank) => {
      const { file, record } = stored({ arch: `rank-${rank}`, seed, queries: 2, timed: 2 });
      const perQuery = [seed === 1 ? 1 / rank : 1 / 3, 0.5];
      const mrr = { mean: (perQuery[0]! + 0.5) / 2, higherIsBetter: true, description: 'made up', perQuery };
      return { file, record: { ...record, measures: { mrr } } };
    }),
  );
  const report = await prepare(seeds);
  const { wins, ties, losses } = report.sections[0]!.comparisons[0]!.measures[0]!.overQueries;
  const [, data] = /<script type="application\/json">(.*?)<\/script>/.exec(await render('html', report))!;
  const [first, second] = JSON.parse(data!).queries.measures.mrr as number[][];
  const count = (sign: number) => first!.filter((value, q) => Math.sign(second![q]! - value) === sign).length;
  assert.deepEqual([count(1), count(0), count(-1)], [wins, ties, losses]);
  assert.equal(wins + losses, 1);
});

test('json: the whole report, as it was prepared', async () => {
  const report = await prepare(records);
  assert.deepEqual(JSON.parse(await render('json', report)), JSON.parse(JSON.stringify(report)));
});

test('junit: a case for each run; what is no XML is escaped or taken out', async () => {
  const failed = stored({ arch: 'a<b>&"c"\u0007', status: 'failed' });
  const text = await render('junit', await prepare([...records, failed]));
  assert.match(
    text,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="bench" tests="10" failures="1"/,
  );
  assert.match(text, /classname="made.a&lt;b&gt;&amp;&quot;c&quot;\ufffd"/);
  assert.match(text, /<failure message="TRAINING_DIVERGED: the loss is NaN">/);
});

test('one record only: every report renders, without stars', async () => {
  const report = await prepare([stored()]);
  assert.equal(report.sections[0]!.baseline, undefined);
  for (const name of reportNames()) {
    const text = await render(name, report);
    assert.match(text, /dual-encoder/, name);
    assert.doesNotMatch(text, /differs from/, name);
  }
});

test('only failed runs: every report says so and none breaks', async () => {
  const report = await prepare([stored({ status: 'failed' })]);
  assert.match(report.sections[0]!.notes.join(), /failed and is left out: the loss is NaN/);
  for (const name of reportNames()) assert.ok((await render(name, report)).length > 0, name);
});

test('what cannot be compared stands without stars, and the reason beside it', async () => {
  const report = await prepare([...records, stored({ arch: 'mlr', seed: 9, lift: 0.3 })]);
  const [section] = report.sections;
  assert.match(section!.notes.join(), /mlr is not compared with dual-encoder: .*the seeds differ/);
  assert.deepEqual(
    section!.comparisons.map(({ candidate }) => candidate),
    ['mlr-sc', 'me-bert'],
  );
  const mlr = section!.systems.find(({ name }) => name === 'mlr')!;
  assert.equal(mlr.cells['mrr@10']!.significant, undefined);
});

test('two versions of a dataset, and two splits, are sections of their own', async () => {
  const { sections } = await prepare([stored(), stored({ version: '2' }), stored({ split: 'dev' })]);
  assert.deepEqual(
    sections.map(({ dataset }) => [dataset.version, dataset.split]),
    [
      ['1', 'test'],
      ['2', 'test'],
      ['1', 'dev'],
    ],
  );
});

test('a mean over datasets comes after the others, and its heading counts datasets', async () => {
  const one = stored({ seed: 1 });
  const members = ['beir/cqadupstack/android', 'beir/cqadupstack/english'];
  const dataset = { ...one.record.dataset, name: 'beir/cqadupstack', members };
  const mean = { ...one, record: { ...one.record, dataset } };
  const report = await prepare([mean, one]);
  const text = await render('markdown', report);
  const headings = text.split('\n').filter((line) => line.startsWith('## '));
  assert.equal(headings.length, 2);
  assert.match(headings[0]!, /\d queries/);
  assert.match(headings[1]!, /cqadupstack.* datasets, their means averaged/);
});

test('latencies of different devices have no best, and the report says so', async () => {
  const { sections } = await prepare([stored(), stored({ arch: 'mlr', cpu: 'Another', lift: 0.1 })]);
  assert.match(sections[0]!.notes.join(), /different devices/);
  for (const { cells } of sections[0]!.systems) assert.equal(cells['total-ms']!.place, undefined);
  assert.deepEqual(
    sections[0]!.fronts.map(({ cost }) => cost),
    ['index-bytes'],
  );
  const axis = async (...other: Parameters<typeof stored>) =>
    /"x":"([^"]+)"/.exec(await render('html', await prepare([stored(), stored(...other)])))![1];
  assert.equal(
    await axis({ arch: 'mlr', cpu: 'Another', lift: 0.1 }),
    'index-bytes',
    'nor are they drawn first',
  );
  assert.equal(await axis({ arch: 'mlr', lift: 0.1 }), 'search-ms');
});

test('a measure or baseline that no record has is refused with a near name', async () => {
  const refuses = (request: ReportRequest, expected: RegExp) =>
    assert.rejects(
      prepare(records, request),
      (error) => error instanceof BenchError && expected.test(error.message),
    );
  await refuses({ measures: ['mrr@100'] }, /Did you mean 'mrr@10'/);
  await refuses({ baseline: 'mlr-cs' }, /Did you mean 'mlr-sc'/);
  const chosen = await prepare(records, { measures: ['mrr@10'], baseline: 'me-bert' });
  const [section] = chosen.sections;
  assert.deepEqual([section!.baseline, section!.measure], ['me-bert', 'mrr@10']);
  assert.equal(section!.columns[1]!.group, 'size');
});
