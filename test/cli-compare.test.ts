import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { ReportComparison } from '../harness/contracts.js';
import type { StoredRecord } from '../harness/record.js';
import { stored, writeRecords } from './made-records.js';
import { cli } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-compare-'));
after(() => rmSync(folder, { recursive: true }));

function bench(...argv: string[]) {
  return spawnSync(process.execPath, [cli, ...argv], { cwd: folder, encoding: 'utf8' });
}

const records = [1, 2, 3].flatMap((seed) => [stored({ seed }), stored({ arch: 'mlr-sc', seed, lift: 0.1 })]);
writeRecords(path.join(folder, 'results'), records);
const names = (arch: string) => [1, 2, 3].map((seed) => `results/made-${arch}-${seed}-1.record.json`);

test('compare prints the differences over queries and over seeds, and the latencies as ratios', () => {
  const { status, stdout, stderr } = bench('compare', ...names('dual-encoder'), ...names('mlr-sc'));
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /^A: dual-encoder\nB: mlr-sc\n\nover 200 queries, each with its mean over the seeds\n/,
  );
  assert.match(stdout, /over 3 seeds \(1, 2, 3\)\n/);
  assert.match(stdout, /^search +[\d.]+ +[\d.]+ to [\d.]+ +by query$/m);
  assert.match(
    stdout,
    /note: over queries by paired t \(answer@20, mrr@10\)\nnote: means over seeds are not 0 or 1/,
  );
  assert.match(
    stdout,
    /note: p of the paired randomization test, not corrected: answer@20 <?0\.\d{4}, mrr@10 <?0\.\d{4}/,
  );
  assert.match(stdout, /note: corrected by Holm over 2 tests over queries and 2 over seeds/);
  for (const line of stdout.split('\n')) assert.ok(!line.endsWith(' ') && !line.includes('NaN'), line);
});

test('compare --json is what reports are made of, --measure chooses, the first is the baseline', () => {
  const { stdout } = bench(
    'compare',
    ...names('mlr-sc'),
    ...names('dual-encoder'),
    '--json',
    '--measure',
    'mrr@10',
  );
  const [comparison, ...more] = JSON.parse(stdout) as ReportComparison[];
  assert.deepEqual(more, []);
  assert.deepEqual([comparison!.baseline, comparison!.candidate], ['mlr-sc', 'dual-encoder']);
  assert.deepEqual(
    comparison!.measures.map(({ measure }) => measure),
    ['mrr@10'],
  );
  assert.ok(comparison!.measures[0]!.overQueries.difference < 0);
});

test('what cannot be read or compared ends with 2 and says why', () => {
  const broken = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text);
    return name;
  };
  const whole = JSON.stringify(records[0]!.record);
  const [first] = names('dual-encoder');
  mkdirSync(path.join(folder, 'empty'), { recursive: true });
  const cases: [string[], RegExp][] = [
    [['compare'], /needs two systems, and the records hold none/],
    [['compare', first!], /the records hold dual-encoder with 1 run\./],
    [['compare', first!, ...names('mlr-sc')], /the seeds differ: dual-encoder has 1; mlr-sc has 1, 2, 3/],
    [['compare', 'results', '--measure', 'ndcg@10'], /lacks ndcg@10/],
    [
      [
        'compare',
        'results',
        broken('v0.record.json', whole.replace('"schemaVersion":1', '"schemaVersion":0')),
      ],
      /v0\.record\.json is a run record of schema version 0/,
    ],
    [
      ['compare', 'results', broken('cut.record.json', whole.slice(0, 900))],
      /cut\.record\.json is not whole JSON[\s\S]*cut short/,
    ],
    [['compare', 'results', broken('nan.record.json', whole.replace(/"mean":[\d.]+/, '"mean":NaN'))], /NaN/],
    [['report', 'empty'], /There is no run record in the folder empty/],
    [['report', 'nowhere'], /There is no file or folder nowhere\.\nhint: /],
    [
      ['report', 'results', '--format', 'markdwon'],
      /There is no report 'markdwon'\. Did you mean 'markdown'/,
    ],
    [
      ['report', 'results', '--out', 'results'],
      /PATH_INVALID: results cannot be written: a folder has that name/,
    ],
  ];
  for (const [argv, expected] of cases) {
    const { status, stdout, stderr } = bench(...argv);
    assert.equal(status, 2, `${argv.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});

test('compare --common-seeds pairs what both have', () => {
  const { status, stdout } = bench(
    'compare',
    names('dual-encoder')[1]!,
    ...names('mlr-sc'),
    '--common-seeds',
  );
  assert.equal(status, 0);
  assert.match(stdout, /over 200 queries, seed 2/);
  assert.match(stdout, /note: over queries by McNemar exact \(answer@20\); paired t \(mrr@10\)/);
  assert.match(stdout, /one seed: whether the difference lasts over seeds is not known/);
});

test('report takes the results folder where none is named, and writes a file whole', () => {
  const { status, stdout, stderr } = bench('report');
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^## made 1, test/);
  const written = bench('report', '--format', 'csv', '--out', 'table.csv');
  assert.deepEqual([written.status, written.stdout], [0, '']);
  assert.match(readFileSync(path.join(folder, 'table.csv'), 'utf8'), /^dataset,version,split,/);
});

/** As made later than what `stored` makes. */
const later = ({ file, record }: StoredRecord, name = file): StoredRecord => ({
  file: name,
  record: { ...record, createdAt: '2026-01-03T00:00:00.000Z' },
});

test('check ends with 0 or 1, prints what got worse, and writes JUnit XML and markdown', () => {
  const before = stored({ queries: 500, seed: 4 });
  const slow = stored({ queries: 500, seed: 4, sizeBytes: 999_999 }, 'slow.record.json');
  writeRecords(path.join(folder, 'before'), [before]);
  writeRecords(path.join(folder, 'again'), [later(before)]);
  writeRecords(path.join(folder, 'after'), [slow]);
  const missing = bench('check', '--baseline', 'base.json', 'before');
  assert.equal(missing.status, 2);
  assert.match(
    missing.stderr,
    /^error PATH_INVALID: There is no baseline base\.json yet\.\nhint: .*--update-baseline/,
  );
  const updated = bench('check', '--baseline', 'base.json', 'before', '--update-baseline');
  assert.deepEqual([updated.status, updated.stdout], [0, '1 record is the baseline now: base.json\n']);
  const text = readFileSync(path.join(folder, 'base.json'), 'utf8');
  const kept = bench('check', '--baseline', 'base.json', 'again', '--update-baseline');
  assert.match(kept.stdout, /^1 record is the baseline now: base\.json \(1 as before: no figure moved\)\n$/);
  assert.equal(readFileSync(path.join(folder, 'base.json'), 'utf8'), text);
  const own = bench('check', '--baseline', 'base.json', 'before');
  assert.equal(own.status, 2);
  assert.match(own.stderr, /There is nothing new to check: The one record is of the baseline itself/);
  const same = bench('check', '--baseline', 'base.json', 'again');
  assert.equal(same.status, 0, same.stderr);
  assert.match(same.stdout, /^## bench check: nothing got worse \(\d+ comparisons\)/);
  const files = ['--junit', 'check.xml', '--markdown', 'check.md'];
  const worse = bench('check', '--baseline', 'base.json', 'after', '--format', 'github', ...files);
  assert.equal(worse.status, 1, worse.stderr);
  const markdown = readFileSync(path.join(folder, 'check.md'), 'utf8');
  assert.match(markdown, /^## bench check: 1 of \d+ comparisons got worse\n\n### Worse/);
  assert.match(markdown, /size index \| 512000 to 999999 bytes/);
  assert.match(
    worse.stdout,
    /^bench check: 1 of \d+ .*\n::error title=worse%3A dual-encoder on made%2C test%2C size index::512000 to 999999 bytes, \+95\.31 %25\n/,
  );
  const xml = readFileSync(path.join(folder, 'check.xml'), 'utf8');
  assert.match(xml, /failures="1"[\s\S]*name="size index"[^>]*><failure message="512000 to 999999 bytes/);
  const tolerated = bench('check', '--baseline', 'base.json', 'after', '--set', 'check.sizeBytes=1000000');
  assert.equal(tolerated.status, 0);
  writeFileSync(path.join(folder, 'bench.config.json'), '{ "check": { "sizeBytes": 1000000 } }');
  assert.equal(bench('check', '--baseline', 'base.json', 'after').status, 0);
  rmSync(path.join(folder, 'bench.config.json'));
});

test('a regression in every measure is found with the records of the baseline left in place', () => {
  const ids = ['answer@5', 'answer@20', 'answer@100', 'success@5', 'success@20', 'success@100'];
  ids.push('mrr@10', 'ndcg@10', 'recall@100');
  const made = (learningRate: number, lift: number, file: string): StoredRecord => {
    const { record } = stored({ queries: 500, lift, config: { train: { learningRate } } });
    const measure = record.measures['answer@20']!;
    return { file, record: { ...record, measures: Object.fromEntries(ids.map((id) => [id, measure])) } };
  };
  const left = path.join(folder, 'left');
  writeRecords(left, [made(5e-4, 0, 'old.record.json')]);
  assert.equal(bench('check', '--baseline', 'left.json', 'left', '--update-baseline').status, 0);
  writeRecords(left, [later(made(5e-2, -0.1, 'new.record.json'))]);
  const { status, stdout } = bench('check', '--baseline', 'left.json', 'left');
  assert.equal(status, 1);
  const [changed, worse] = stdout.split('### ').slice(1);
  assert.match(changed!, /^Settings that changed\n[\s\S]*train\.learningRate was 0\.0005 and is 0\.05/);
  assert.deepEqual(
    [...worse!.matchAll(/accuracy (\S+) \| \d\d\.\d\d % to/g)].map(([, id]) => id),
    ids,
  );
  assert.match(stdout, /### Not compared\n[\s\S]*left\/old\.record\.json: of the baseline itself/);
});

test('a baseline that cannot be used is refused', () => {
  writeRecords(path.join(folder, 'now'), [stored({ version: '2' })]);
  writeRecords(path.join(folder, 'then'), [stored()]);
  writeRecords(path.join(folder, 'since'), [later(stored())]);
  bench('check', '--baseline', 'then.json', 'then', '--update-baseline');
  const other = bench('check', '--baseline', 'then.json', 'now');
  assert.equal(other.status, 2);
  assert.match(other.stderr, /is of made version 1, .* the record of version 2[\s\S]*--update-baseline/);
  const text = readFileSync(path.join(folder, 'then.json'), 'utf8');
  const refusal = (changed: string) => {
    writeFileSync(path.join(folder, 'changed.json'), changed);
    const { status, stderr } = bench('check', '--baseline', 'changed.json', 'then');
    assert.equal(status, 2, stderr);
    return stderr;
  };
  assert.match(refusal(text.slice(0, -10)), /changed\.json is not whole JSON/);
  assert.match(refusal('[]'), /changed\.json is no baseline of version 1/);
  assert.match(
    refusal(text.replace('"seed":1', '"seed":"1"')),
    /changed\.json, record 1 is not a valid run record/,
  );
  const failed = stored({ status: 'failed' });
  writeRecords(path.join(folder, 'failed'), [failed]);
  const kept = bench('check', '--baseline', 'never.json', 'failed', '--update-baseline');
  assert.equal(kept.status, 2);
  assert.ok(!existsSync(path.join(folder, 'never.json')));
});

test('compare --equivalence tests within a margin, over queries and over seeds, beside the difference', () => {
  const same = [stored({ seed: 1 }), stored({ arch: 'copy', seed: 1, queries: 200 })];
  const [a, b] = writeRecords(path.join(folder, 'equal'), same);
  const asked = ['compare', a!, b!, '--measure', 'mrr@10', '--equivalence', '0.3'];
  const { status, stdout, stderr } = bench(...asked);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^as good as equal, within ±0\.3\n/m);
  assert.match(
    stdout,
    /^mrr@10 +queries +[+-][\d.]+ +[+-][\d.]+ to [+-][\d.]+ +<0\.0001 +<0\.0001 +equivalent$/m,
  );
  assert.match(stdout, /a difference that is not significant is no proof of it/);
  const [comparison] = JSON.parse(bench(...asked, '--json').stdout) as ReportComparison[];
  const { equivalence } = comparison!.measures[0]!.overQueries;
  assert.equal(equivalence!.margin, 0.3);
  assert.ok(equivalence!.interval!.low > -0.3 && equivalence!.interval!.high < 0.3);

  const three = bench('compare', ...names('dual-encoder'), ...names('mlr-sc'), '--equivalence', '0.001');
  assert.match(three.stdout, /^mrr@10 +seeds .* not shown$/m);
  for (const wrong of ['0', '-1', 'much', '1e999']) {
    const refused = bench('compare', a!, b!, '--equivalence', wrong);
    assert.equal(refused.status, 2);
    assert.ok(refused.stderr.includes(wrong), refused.stderr);
  }
});
