/** Runs in every format: what is written is read again, as what it is, and seen from how it begins. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Query, Run } from '../harness/contracts.js';
import {
  looksLikeRun,
  type RunFormat,
  readRunFile,
  runFormatNamed,
  runFormats,
  writeRunFile,
} from '../harness/interchange/run-file.js';
import { writtenFiles } from './written-files.js';

const { folder, fileOf } = writtenFiles('strata-run-file-');
const queries: Query[] = [
  { queryId: 'q1', text: 'who?', answers: ['Ann'] },
  { queryId: 'q2', text: 'when?', answers: [] },
];
/** Out of order, with an equal score whose rank says which is first. */
const run: Run = new Map([
  ['q1', { passageIds: ['a', 'b', 'c'], scores: [0.5, 2.25, 0.5], ranks: [3, 1, 2] }],
  ['q2', { passageIds: ['b'], scores: [-1.5] }],
]);
const passages = new Map(
  ['a', 'b', 'c'].map((id) => [id, { passageId: id, title: `t${id}`, text: `x${id}` }]),
);
const texts = { queries, passages, hasAnswer: () => true };
const formats = Object.keys(runFormats) as RunFormat[];

test('every format comes back in the order of the scores, equal ones in that of their ranks', async () => {
  for (const format of formats) {
    const file = path.join(folder, `run.${format}.gz`);
    await writeRunFile(file, format, { run, tag: 'mine', texts });
    const read = await readRunFile(file, { queries });
    assert.equal(read.format, format);
    assert.equal(read.tag, format === 'trec' ? 'mine' : undefined);
    // BEIR's has no order: of equal scores the larger id is first, which `c` is here too.
    assert.deepEqual(
      [...read.run].map(([queryId, { passageIds }]) => [queryId, [...passageIds]]),
      [
        ['q1', ['b', 'c', 'a']],
        ['q2', ['b']],
      ],
      format,
    );
    const scores = [...read.run.values()].map((ranking) => ranking.scores && Array.from(ranking.scores));
    if (format === 'ms-marco') assert.deepEqual(Array.from(read.run.get('q1')!.ranks!), [1, 2, 3]);
    else assert.deepEqual(scores, [[2.25, 0.5, 0.5], [-1.5]], format);
    assert.deepEqual(
      read.remarks.map((remark) => /taken for the rank$/.test(remark)),
      format === 'ms-marco' ? [true] : [],
    );
    assert.equal(await looksLikeRun(file), true, format);
  }
});

test('ranks alone keep their order', async () => {
  const file = path.join(folder, 'ranked');
  await writeRunFile(file, 'ms-marco', {
    run: new Map([['q', { passageIds: ['b', 'a'], scores: [2, 1] }]]),
    tag: '',
  });
  assert.equal(readFileSync(file, 'utf8'), 'q\tb\t1\nq\ta\t2\n');
});

test("DPR's format has texts, or is not written", async () => {
  await assert.rejects(async () => writeRunFile(path.join(folder, 'none'), 'dpr', { run, tag: '' }), {
    name: 'TypeError',
    message: "DPR's format needs texts",
  });
});

test('what is no run does not look like one', async () => {
  for (const [content, expected] of [
    ['q Q0 p 1 0.5 t\n', true],
    ['q\tp\t-3e-2\n', true],
    ['q Q0 p 1 high t\n', false],
    ['q p 1 0.5 t\n', false],
    ['q p\n', false],
    ['1 0 p 1\n', false],
    ['a b c\n', false],
    ['[{"question": "q"}]', true],
    ['[ {"ctxs": []}]', true],
    ['[{"question_id": "q"}]', false],
    ['[1]', false],
    ['{"q": {"p": -1.5}}', true],
    ['{"q": {"p": "x"}}', false],
    ['{"_id": "q", "text": "t"}', false],
    ['', false],
  ] as const)
    assert.equal(await looksLikeRun(fileOf(content)), expected, content);
  assert.equal(await looksLikeRun(path.join(folder, 'absent')), false);
});

test('scores against the ranks beside them are remarked on, once for each query', async () => {
  const lines = [
    'q Q0 a 1 1 t',
    'q Q0 b 2 3 t',
    'r Q0 a 1 2 t',
    'r Q0 b 2 2 t',
    's Q0 a 2 1 t',
    's Q0 b 1 5 t',
  ];
  const { remarks } = await readRunFile(fileOf(`${lines.join('\n')}\n`));
  assert.equal(remarks.length, 1);
  assert.match(remarks[0]!, /^in 1 of 3 queries the scores order hits otherwise/);
  assert.deepEqual((await readRunFile(fileOf(`${lines.slice(2).join('\n')}\n`))).remarks, []);
});

test('a format is one of those, and a file is what it is said to be', async () => {
  for (const format of formats) assert.equal(runFormatNamed(format), format);
  assert.throws(() => runFormatNamed('trek'), { code: 'UNKNOWN_NAME', hint: /trec/ });
  assert.throws(() => runFormatNamed('toString'), { code: 'UNKNOWN_NAME' });
  const six = fileOf('q Q0 p 1 0.5 t\n');
  assert.equal((await readRunFile(six, { format: 'trec' })).format, 'trec');
  await assert.rejects(readRunFile(six, { format: 'tevatron' }), {
    code: 'RECORD_INVALID',
    message: /holds lines of: query Q0 passage rank score tag; it was said to be tevatron/,
    hint: /say trec/,
  });
});

test('what a DPR file has in a place is shown, as far as 40 characters', async () => {
  for (const [hit, pattern] of [
    ['{"score": 1}', /ctxs\[0\]\.id is missing, and a string is needed/],
    [`{"id": ["${'x'.repeat(60)}"], "score": 1}`, /ctxs\[0\]\.id is \["x{38}, and a string is needed/],
    ['{"id": "p"}', /ctxs\[0\]\.score is missing, and a number is needed/],
    ['{"id": "p", "score": " "}', /ctxs\[0\]\.score is " ", and a number is needed/],
    ['{"id": "p", "score": 1, "has_answer": 1}', /ctxs\[0\]\.has_answer is 1, and true or false is needed/],
    ['3', /ctxs\[0\] is 3, and an object is needed/],
  ] as const)
    await assert.rejects(readRunFile(fileOf(`[{"question": "q", "ctxs": [${hit}]}]`)), {
      code: 'RECORD_INVALID',
      message: pattern,
    });
});
