import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { ReportComparison } from '../harness/contracts.js';
import type { RunRecord } from '../harness/record.js';
import { cli, sharedData as data, inFixtures } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-evaluate-'));
after(() => rmSync(folder, { recursive: true }));

function bench(...argv: string[]) {
  return spawnSync(process.execPath, [cli, ...argv], { cwd: folder, encoding: 'utf8' });
}

function file(name: string, lines: readonly string[]): string {
  writeFileSync(path.join(folder, name), lines.map((line) => `${line}\n`).join(''));
  return name;
}

// Query 1: the relevant passage second; query 2: first; query 3 is judged and has no hits; query 4 has no qrels.
const run = file('a.run', [
  '1 Q0 x 1 9 bm25',
  '1 Q0 a 2 8 bm25',
  '2 Q0 b 1 7 bm25',
  '2 Q0 y 2 6 bm25',
  '4 Q0 a 1 1 bm25',
]);
const qrels = file('a.qrels', ['1 0 a 1', '1 0 c 1', '2 0 b 2', '3 0 a 1']);
const asked = ['evaluate', '--run', run, '--qrels', qrels];

test('a table of means over the queries that have hits, as trec_eval gives', () => {
  const { status, stdout, stderr } = bench(...asked, '--measure', 'mrr,recall@100,map,success@1');
  assert.equal(status, 0, stderr);
  // mrr (1/2 + 1) / 2; recall (1/2 + 1) / 2; map (1/4 + 1) / 2.
  assert.match(stdout, /^all +0\.7500 +0\.7500 +0\.6250 +0\.5000$/m);
  assert.match(stdout, /note: 2 queries\n/);
  assert.match(stdout, /1 query of the run has no qrels/);
  assert.match(stdout, /note: 1 judged query has no hits and was left out.*--complete counts them as 0/);
  const record = JSON.parse(bench(...asked, '--json').stdout) as RunRecord;
  assert.match(record.warnings.join('\n'), /1 judged query has no hits and was left out/);
});

test('--complete counts a judged query without hits as 0, --per-query shows each', () => {
  const { stdout } = bench(...asked, '--measure', 'mrr', '--complete', '--per-query');
  assert.match(stdout, /^1 +0\.5000\n2 +1\.0000\n3 +0\.0000\nall +0\.5000$/m);
  assert.match(stdout, /1 of them has no hits and scored 0/);
  assert.doesNotMatch(stdout, /judged quer.* no hits/);
});

test('relevance, depth and ties are what they say', () => {
  const value = (...more: string[]) => /^all +([\d.]+)/m.exec(bench(...asked, ...more).stdout)![1];
  assert.equal(value('--measure', 'mrr', '--relevance', '2'), '0.5000');
  assert.equal(value('--measure', 'mrr', '--depth', '1'), '0.5000');
  const tied = file('tied.run', ['1 Q0 a 1 5 t', '1 Q0 z 2 5 t']);
  const mrr = (rule: string) =>
    /^all +([\d.]+)/m.exec(
      bench('evaluate', '--run', tied, '--qrels', qrels, '--measure', 'mrr', '--ties', rule).stdout,
    )![1];
  assert.deepEqual([mrr('trec_eval'), mrr('as-ranked')], ['0.5000', '1.0000']);
});

const theirs = path.join(data, 'trec_eval');

// Options of trec_eval's own test, and ours; the printed means are in its file.
const commands: [string, string, string, string[]][] = [
  ['out.test.a', 'qrels.test', 'results.test', []],
  ['out.test.aqc', 'qrels.test', 'results.trunc', ['--complete']],
  ['out.test.aqcM', 'qrels.test', 'results.trunc', ['--complete', '--depth', '100']],
  ['out.test.aql', 'qrels.rel_level', 'results.test', ['--relevance', '2']],
];
const printed = { map: 'map', mrr: 'recip_rank', 'p@5': 'P_5', 'recall@100': 'recall_100', ndcg: 'ndcg' };
const cut = { 'ndcg@10': 'ndcg_cut_10', 'success@5': 'success_5' };
for (const [out, judged, ranked, options] of commands) {
  const skip = existsSync(theirs) ? false : `no ${theirs}: set STRATA_TEST_DATA`;
  test(`the command prints the means of ${out}`, { skip }, () => {
    const lines = readFileSync(path.join(theirs, out), 'utf8').split('\n');
    const names = Object.entries({ ...printed, ...cut });
    const expected = names.map(([, name]) => {
      const line = lines.find((each) => each.startsWith(`${name} `) && /\tall\t/.test(each));
      return line?.split('\t')[2] ?? assert.fail(`${out} has no mean of ${name}`);
    });
    const files = ['--run', path.join(theirs, ranked), '--qrels', path.join(theirs, judged)];
    const ids = names.map(([id]) => id).join(',');
    const { stdout, stderr } = bench('evaluate', ...files, ...options, '--measure', ids);
    assert.deepEqual(/^all +(.+)$/m.exec(stdout)?.[1]?.split(/ +/), expected, stderr);
  });
}

test('passage ids of another collection score 0 and are told', () => {
  const others = file('strangers.run', ['1 Q0 D-x 1 9 t', '2 Q0 D-b 2 8 t']);
  const { status, stdout } = bench('evaluate', '--run', others, '--qrels', qrels, '--measure', 'mrr');
  assert.equal(status, 0);
  assert.match(stdout, /^all +0\.0000$/m);
  assert.match(stdout, /note: nobody judged any of the hits/);
  assert.doesNotMatch(bench('evaluate', '--run', run, '--qrels', qrels).stdout, /nobody judged/);
});

test('--judged-only leaves hits out that nobody judged', () => {
  const { stdout } = bench(...asked, '--measure', 'mrr', '--judged-only');
  assert.match(stdout, /^all +1\.0000$/m);
});

test('the record can be compared and reported like any other; gzip is read', () => {
  writeFileSync(
    path.join(folder, 'b.run.gz'),
    gzipSync('1 Q0 a 1 9 splade\n1 Q0 c 2 8 splade\n2 Q0 b 1 7 splade\n'),
  );
  const made = (name: string, ...more: string[]) =>
    bench('evaluate', ...more, '--qrels', qrels, '--complete', '--record', `${name}.record.json`, '--json');
  const bm25 = JSON.parse(made('bm25', '--run', run).stdout) as RunRecord;
  assert.deepEqual([bm25.arch.name, bm25.seed, bm25.queryIds], ['bm25', null, ['1', '2', '3']]);
  assert.deepEqual(bm25.measures['mrr@10']!.perQuery, [0.5, 1, 0]);
  assert.equal(made('splade', '--run', 'b.run.gz').status, 0);
  const compared = bench('compare', 'bm25.record.json', 'splade.record.json', '--measure', 'mrr@10');
  assert.equal(compared.status, 0, compared.stderr);
  assert.match(compared.stdout, /^A: bm25\nB: splade\n/);
  assert.match(compared.stdout, /mrr@10 +0\.5000 +0\.6667 +\+0\.1667/);
  const report = bench('report', 'bm25.record.json', 'splade.record.json', '--format', 'html');
  assert.equal(report.status, 0, report.stderr);
  assert.match(report.stdout, /splade/);
});

test('several runs are one table, each with the p of its difference to the first', () => {
  const other = file('b.run', ['1 Q0 a 1 9 splade', '2 Q0 y 2 8 splade', '2 Q0 b 1 7 splade']);
  const judged = ['--qrels', qrels, '--complete', '--measure', 'RR@10,success@1'];
  const two = (...more: string[]) =>
    bench('evaluate', '--run', run, '--run', `ours=${other}`, ...judged, ...more);
  const { status, stdout, stderr } = two();
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /^run +mrr@10 +success@1\n-.*\nbm25 +0\.5000 +0\.3333\nours +0\.5000 +0\.3333\n {2}p +1\.0000 +1\.0000\n/,
  );
  assert.match(stdout, /note: 3 queries\nnote: p: against bm25, paired by query, by .*Holm over 2 tests\n/);
  const records = JSON.parse(two('--json').stdout) as RunRecord[];
  assert.deepEqual(
    records.map(({ arch }) => arch.name),
    ['bm25', 'ours'],
  );
  assert.equal(two('--record', 'both').status, 0);
  const compared = bench('compare', 'both/bm25.record.json', 'both/ours.record.json', '--json');
  const [comparison] = JSON.parse(compared.stdout) as ReportComparison[];
  assert.deepEqual(
    comparison!.measures.map(({ overQueries }) => overQueries.correctedP),
    [1, 1],
  );
  const refusals: [string[], RegExp][] = [
    [['--run', run, '--run', run, ...judged], /Two runs have the name bm25, which their files give them/],
    [['--run', `a=${run}`, '--run', `a=${other}`, ...judged], /Two runs are named a/],
    [['--run', run, '--run', other, ...judged, '--per-query'], /--per-query goes with one run/],
    [
      ['--run', run, '--run', other, ...judged, '--record', 'x.record.json'],
      /is a file, and there are several/,
    ],
    [
      ['--run', run, '--run', file('one.run', ['1 Q0 a 1 9 one']), '--qrels', qrels],
      /same judged queries: bm25 for 2, one for 1\.\nhint: With --complete/,
    ],
  ];
  for (const [argv, expected] of refusals) {
    const refused = bench('evaluate', ...argv);
    assert.equal(refused.status, 2, argv.join(' '));
    assert.match(refused.stderr, expected);
  }
});

test('a run takes the name that the command line gives it', () => {
  const { stdout } = bench('evaluate', '--run', `mine=${run}`, '--qrels', qrels, '--json');
  assert.equal((JSON.parse(stdout) as RunRecord).arch.name, 'mine');
});

test('compare given runs says what to do', () => {
  const { status, stderr } = bench('compare', run, run);
  assert.equal(status, 2);
  assert.match(
    stderr,
    /a\.run: a run, a file of hits, and compare takes run records\.\nhint: .*bench evaluate --run a\.run --run OTHER --qrels FILE/,
  );
});

test("tevatron's and BEIR's files of the same hits give the same figures; DPR's have no ids to measure by", () => {
  const three = file('a.tevatron', ['1 x 9', '1 a 8', '2 b 7', '2 y 6', '4 a 1']);
  const beir = file('a.json', ['{"1":{"a":8,"x":9},"2":{"b":7,"y":6},"4":{"a":1}}']);
  const means = (name: string, ...more: string[]) => {
    const { status, stdout, stderr } = bench(
      ...['evaluate', '--run', name, '--qrels', qrels, '--measure', 'mrr,map,ndcg@10', '--complete', ...more],
    );
    assert.equal(status, 0, stderr);
    return /^all .*$/m.exec(stdout)![0];
  };
  for (const name of [three, beir]) assert.equal(means(name), means(run));
  assert.equal(means(beir, '--run-format', 'beir'), means(run));
  const ctxs = [{ id: 'a', title: '', text: '', score: '9' }];
  const dpr = file('a.dpr', [JSON.stringify([{ question: '?', answers: [], ctxs }])]);
  const refused = bench('evaluate', '--run', dpr, '--qrels', qrels);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /a\.dpr holds DPR's retrieval results, which have no query ids/);
  assert.match(refused.stderr, /--dataset D instead of --qrels/);
  const { status, stderr } = bench('evaluate', '--run', run, '--qrels', qrels, '--run-format', 'trek');
  assert.equal(status, 2);
  assert.match(stderr, /There is no run format 'trek'\. Did you mean 'trec'/);
});

test("MS MARCO's own run is measured by its ranks, and it is said that they are", () => {
  const msMarco = (name: string) => inFixtures(`cases/msmarco-ranks/${name}`);
  const { stdout, stderr } = bench(
    ...['evaluate', '--run', msMarco('run.tsv'), '--qrels', msMarco('qrels.dev.small.tsv')],
    ...['--measure', 'mrr@10', '--per-query'],
  );
  assert.match(stdout, /^10 +1\.0000\n11 +0\.5000\n12 +0\.1000\nall +0\.5333$/m, stderr);
  assert.match(stdout, /note: the last column of the run is 1 to n in each query and taken for the rank/);
});

test('what is wrong is said, with the line where there is one, and ends with 2', () => {
  const line = (name: string, text: string) => file(name, ['1 Q0 a 1 5 t', text]);
  const with_ = (name: string) => ['evaluate', '--run', name, '--qrels', qrels];
  const cases: [string[], RegExp][] = [
    [['evaluate', '--run', run], /--qrels FILE or --dataset D, and neither was given/],
    [[...asked, '--measure', 'answer@20'], /answer@20 cannot be evaluated: a run and qrels hold no answers/],
    [[...asked, '--measure', 'mmr@10'], /There is no measure 'mmr@10'\. Did you mean 'mrr@10'/],
    [[...asked, '--ties', 'random'], /--ties random is neither trec_eval nor as-ranked/],
    [[...asked, '--depth', '0'], /--depth needs a whole number from 1, not '0'/],
    [[...asked, '--relevance', 'high'], /--relevance needs a whole number from 1, not 'high'/],
    [['evaluate', '--run', 'none', '--qrels', qrels], /PATH_INVALID: none cannot be read/],
    [
      with_(line('twice.run', '1 Q0 a 2 4 t')),
      /twice\.run, line 2: passage 'a' again for its query, after line 1/,
    ],
    [with_(line('columns.run', '1 Q0 b 2')), /columns\.run, line 2: 4 columns/],
    [
      with_(file('comma.run', ['1,Q0,b,2,3,t'])),
      /comma\.run, line 1: one column, '1,Q0,b,2,3,t'[\s\S]*not ','/,
    ],
    [with_(line('one.run', '1')), /one\.run, line 2: 1 column\./],
    [with_(line('score.run', '1 Q0 b 2 high t')), /score\.run, line 2: score 'high' is not a number/],
    [with_(file('other.run', ['99 Q0 a 1 5 t'])), /no query in common/],
  ];
  for (const [argv, expected] of cases) {
    const { status, stdout, stderr } = bench(...argv);
    assert.equal(status, 2, `${argv.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, expected);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});
