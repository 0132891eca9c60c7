/** Results that travel between tools: DPR's, BEIR's, tevatron's, and files of negatives. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Query, Run } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { readBeirResults, writeBeirResults, writeThreeColumns } from '../harness/interchange/beir-results.js';
import { readDprRun, writeDprResults } from '../harness/interchange/dpr-results.js';
import { namesPositives, readNegatives, writeNegatives } from '../harness/interchange/negatives.js';
import { readRun } from '../harness/interchange/trec.js';
import { removeClosed } from './open-files.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-results-'));
});
after(() => removeClosed(folder));
const at = (name: string) => path.join(folder, name);

const queries: Query[] = [
  { queryId: 'test-0', text: 'who?', answers: ['Röntgen'] },
  { queryId: 'test-1', text: 'what "is" it?', answers: [] },
];
const run: Run = new Map([
  ['test-0', { passageIds: ['7', '3'], scores: [81.25, -0.1] }],
  ['test-1', { passageIds: ['3'], scores: [1e-7] }],
]);
const passages = new Map([
  ['3', { passageId: '3', title: 'Three', text: 'no\nsuch "thing"' }],
  ['7', { passageId: '7', title: '', text: 'Wilhelm Röntgen' }],
]);
const hasAnswer = (query: Query, { text }: { text: string }) =>
  (query.answers ?? []).some((answer) => text.includes(answer));

/** Runs compared by value: a score may be read into another kind of array. */
const plain = (of: Run) =>
  [...of].map(([id, { passageIds, scores }]) => [id, [...passageIds], Array.from(scores ?? [])]);

async function refuses(read: Promise<unknown>, code: string, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(read, (error) => {
    assert.ok(error instanceof BenchError, String(error));
    assert.equal(error.code, code);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

test('DPR results come back as they went, in the form DPR writes', async () => {
  await writeDprResults(at('dpr.json'), { run, queries, passages, hasAnswer });
  const read = await readDprRun(at('dpr.json'), queries);
  assert.deepEqual(plain(read.run), plain(run));
  assert.deepEqual(
    [...read.firstAnswerRank],
    [
      ['test-0', 1],
      ['test-1', undefined],
    ],
  );
  const [first] = JSON.parse(await readFile(at('dpr.json'), 'utf8')) as unknown[];
  assert.deepEqual(first, {
    question: 'who?',
    answers: ['Röntgen'],
    ctxs: [
      { id: '7', title: '', text: 'Wilhelm Röntgen', score: '81.25', has_answer: true },
      { id: '3', title: 'Three', text: 'no\nsuch "thing"', score: '-0.1', has_answer: false },
    ],
  });
});

test('DPR results without queries are numbered from 0, and packed ones are read', async () => {
  await writeDprResults(at('dpr.json.gz'), { run, queries, passages, hasAnswer });
  assert.deepEqual([...(await readDprRun(at('dpr.json.gz'))).run.keys()], ['0', '1']);
});

test('DPR results of other queries, cut short or misshapen are refused with their place', async () => {
  await writeDprResults(at('dpr.json'), { run, queries, passages, hasAnswer });
  await refuses(readDprRun(at('dpr.json'), queries.slice(0, 1)), 'RECORD_INVALID', /element 2/, /none/);
  await refuses(readDprRun(at('dpr.json'), [...queries].reverse()), 'RECORD_INVALID', /element 1/);
  await refuses(readDprRun(at('dpr.json'), [...queries, queries[0]!]), 'RECORD_INVALID', /2 of 3/);
  const whole = await readFile(at('dpr.json'), 'utf8');
  await writeFile(at('cut.json'), whole.slice(0, -20));
  await refuses(readDprRun(at('cut.json')), 'RECORD_INVALID', /element 2/);
  await writeFile(at('odd.json'), whole.replace('"81.25"', '"much"'));
  await refuses(readDprRun(at('odd.json')), 'RECORD_INVALID', /element 1: ctxs\[0\].score is "much"/);
  await writeFile(at('odd.json'), whole.replace('"id":"3"', '"id":"7"'));
  await refuses(readDprRun(at('odd.json')), 'RECORD_INVALID', /'7'/);
  await writeFile(at('none.json'), '[]');
  await refuses(readDprRun(at('none.json')), 'RECORD_INVALID', /no results/);
  await assert.rejects(
    writeDprResults(at('gone.json'), { run, queries, passages: new Map(), hasAnswer }),
    /'7'/,
  );
  await assert.rejects(readFile(at('gone.json')), /ENOENT/);
});

test('BEIR results: by score, equal scores by id, the larger first', async () => {
  await writeFile(at('beir.json'), '{"q2": {"10": 1, "9": 2.5, "a": 2.5}, "1": {}}');
  assert.deepEqual(plain(await readBeirResults(at('beir.json'))), [
    ['1', [], []],
    ['q2', ['a', '9', '10'], [2.5, 2.5, 1]],
  ]);
  await writeBeirResults(at('out.json.gz'), run);
  assert.deepEqual(plain(await readBeirResults(at('out.json.gz'))), plain(run));
});

test('BEIR results that are none are refused', async () => {
  for (const [content, pattern] of [
    ['{', /member 1 of the object is not whole/],
    ['{"q": {"d": 1.5}, "r"}', /member 2 of the object is not JSON/],
    ['[]', /an object begins with {/],
    ['{}', /no results/],
    ['{"q": 3}', /query 'q'/],
    ['{"q": {"d": "1"}}', /passage 'd': "1"/],
    ['{"q": {"d": null}}', /passage 'd'/],
  ] as const) {
    await writeFile(at('bad.json'), content);
    await refuses(readBeirResults(at('bad.json')), 'RECORD_INVALID', pattern);
  }
});

test('a three-column run is read by the reader of runs', async () => {
  await writeThreeColumns(at('run.tsv'), run);
  assert.equal(await readFile(at('run.tsv'), 'utf8'), 'test-0\t7\t81.25\ntest-0\t3\t-0.1\ntest-1\t3\t1e-7\n');
  assert.deepEqual(plain((await readRun(at('run.tsv'))).run), plain(run));
  const blank = new Map([['a b', { passageIds: ['1'], scores: [1] }]]);
  await refuses(writeThreeColumns(at('x.tsv'), blank), 'DATA_INVALID', /"a b"/);
});

test('negatives come back as they went', async () => {
  const negatives = new Map([
    ['q 1', ['p1', 'p 2']],
    ['q2', []],
    ['q3', ['Fresno,_California:26', '100%', '%2C', 'tab\there', 'é,ü']],
  ]);
  for (const name of ['negatives.tsv', 'negatives.tsv.gz']) {
    await writeNegatives(at(name), { negatives });
    assert.deepEqual(await readNegatives(at(name)), { negatives });
    assert.equal(await namesPositives(at(name)), false);
    const positives = new Map([
      ['q 1', ['p,3']],
      ['q2', ['p1', 'p2']],
      ['q3', []],
    ]);
    await writeNegatives(at(name), { negatives, positives });
    assert.deepEqual(await readNegatives(at(name)), { negatives, positives });
    assert.equal(await namesPositives(at(name)), true);
  }
});

test('negatives that cannot be are refused with their line', async () => {
  for (const [content, pattern] of [
    ['q1\tp1\nq2 p2\n', /line 2: 1 columns/],
    ['q1\tp1\n\nq1\tp2\n', /line 3: query 'q1' again, after line 1/],
    ['q1\tp1,p1\n', /passage twice/],
    ['q1\tp1\tp2,p1\n', /line 1: query 'q1' has a passage twice/],
    ['q1\tp1\tp2\nq2\tp1\n', /line 2: 2 columns, and 3 in the lines before/],
    ['q1\tp1\nq2\tp1\tp2\n', /line 2: 3 columns, and 2 in the lines before/],
    ['q1\tp1\tp2\tp3\n', /line 1: 4 columns/],
    ['q1\tp1,,p2\n', /empty passage id/],
    ['\tp1\n', /no query id/],
    ['', /no negatives/],
  ] as const) {
    await writeFile(at('bad.tsv'), content);
    await refuses(readNegatives(at('bad.tsv')), 'DATA_INVALID', pattern);
  }
  for (const name of ['no.tsv', 'no.tsv.gz']) {
    const negatives = new Map([['q', ['']]]);
    await refuses(writeNegatives(at(name), { negatives }), 'DATA_INVALID', /passage id ""/);
    assert.equal(existsSync(at(name)), false);
  }
});
