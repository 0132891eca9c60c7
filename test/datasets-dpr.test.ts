/** DPR's files, read from folders: values, and what is broken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import dpr from '../datasets/dpr.js';
import { BenchError } from '../harness/errors.js';
import { fixtures, inFolder, openFolder, passagesOf, refuses } from './datasets-folder.js';

const folder = path.join(fixtures, 'dpr/nq');
const open = () => openFolder(dpr, folder, 'nq');

test('passages: quotes undone as by csv.reader, and those at the ends of a text taken off', async () => {
  const dataset = await open();
  assert.equal(dataset.passageCount, 4);
  assert.deepEqual(await passagesOf(dataset), [
    {
      passageId: '1',
      title: 'Aaron',
      text: 'Aaron ( or ; "Ahärôn") is a prophet, high priest, and the brother of Moses.',
    },
    { passageId: '2', title: '"Weird" Al Yankovic', text: 'Weird" Al was born in 1959.' },
    { passageId: '3', title: 'Aaron', text: 'God called himself "I am' },
    { passageId: '4', title: 'Plain', text: 'Plain text without quotes' },
  ]);
});

test('test questions: answers from Python lists, no qrels', async () => {
  const dataset = await open();
  assert.deepEqual(await dataset.queries('test'), [
    { queryId: 'test-0', text: 'who is the brother of moses', answers: ['Aaron', 'Ahärôn'] },
    { queryId: 'test-1', text: 'who said "I am"', answers: ['God', "it's"] },
  ]);
  assert.deepEqual(await dataset.qrels('test'), []);
  assert.equal(dataset.answerMatching, 'string');
});

test('training: the first positive first, hard negatives without positives, others where there are none', async () => {
  const dataset = await open();
  assert.deepEqual(await dataset.queries('train'), [
    { queryId: 'train-0', text: 'brother of moses', answers: ['Aaron'] },
    // Without a positive: a trained model mines for it all the same.
    { queryId: 'train-1', text: 'no positive', answers: ['x'] },
    { queryId: 'train-2', text: 'when was al born', answers: ['1959'] },
  ]);
  assert.deepEqual(
    (await dataset.qrels('train')).map(({ queryId, passageId }) => [queryId, passageId]),
    [
      ['train-0', '1'],
      ['train-0', '3'],
      ['train-2', '2'],
    ],
  );
  assert.deepEqual(
    [...(await dataset.negatives!('train'))],
    [
      ['train-0', ['2']],
      ['train-2', ['4']],
    ],
  );
  assert.deepEqual(await dataset.queries('dev'), []);
});

test('training passages bring the texts of the training file', async () => {
  const texts: [string, string][] = [];
  for await (const { passageId, text } of (await open()).trainingPassages!('train'))
    texts.push([passageId, text]);
  assert.deepEqual(texts, [
    ['1', 'Aaron ] is { a "prophet" \\'],
    ['3', 'God called himself'],
    ['2', 'born in 1959'],
    ['3', 'God called himself'],
    ['2', 'born in 1959'],
    ['4', 'Plain text'],
  ]);
});

test('dev has negatives that are not hard besides, with their texts; training has no use for them', async () => {
  await inFolder({ ...whole, 'biencoder-nq-dev.json': whole['biencoder-nq-train.json'] }, async (other) => {
    const dataset = await openFolder(dpr, other, 'nq');
    assert.deepEqual(
      [...(await dataset.otherNegatives!())],
      [
        ['dev-0', ['4']],
        ['dev-2', ['4']],
      ],
    );
    assert.deepEqual([...(await dataset.negatives!('dev'))][0], ['dev-0', ['2']]);
    const ids: string[] = [];
    for await (const { passageId } of dataset.trainingPassages!('dev')) ids.push(passageId);
    assert.deepEqual(ids, ['1', '3', '2', '3', '4', '2', '4', '4']);
  });
});

const read = (name: string) => readFileSync(path.join(folder, name));
const whole = {
  'psgs_w100.tsv': read('psgs_w100.tsv'),
  'nq-test.qa.csv': read('nq-test.qa.csv'),
  'biencoder-nq-train.json': read('biencoder-nq-train.json'),
};

test('packed files read the same; without a training file it says so', async () => {
  const packed = {
    'psgs_w100.tsv.gz': gzipSync(whole['psgs_w100.tsv']),
    'nq-test.qa.csv': whole['nq-test.qa.csv'],
  };
  await inFolder(packed, async (other) => {
    const dataset = await openFolder(dpr, other, 'nq');
    assert.deepEqual(await passagesOf(dataset), await passagesOf(await open()));
    assert.deepEqual(await dataset.queries('train'), []);
    assert.match(dataset.remarks!.join(), /biencoder-nq-train/);
  });
});

test('what follows a closing quote belongs to the text, and questions without a positive are told', async () => {
  const odd = `${header}1\t"Heroes" (album)\t"Heroes" (album)\n`;
  await inFolder({ ...whole, 'psgs_w100.tsv': odd }, async (other) => {
    const dataset = await openFolder(dpr, other, 'nq');
    assert.deepEqual(await passagesOf(dataset), [
      { passageId: '1', title: 'Heroes (album)', text: 'Heroes (album)' },
    ]);
    assert.match(dataset.remarks!.join(), /^1 train questions have no positive passage/);
  });
});

test('a byte order mark and CRLF do no harm', async () => {
  const windows = (text: string | Buffer) => `\uFEFF${String(text).replaceAll('\n', '\r\n')}`;
  const names = ['psgs_w100.tsv', 'nq-test.qa.csv'] as const;
  const [plain, odd] = await Promise.all(
    [(text: string | Buffer) => text, windows].map((change) =>
      inFolder(Object.fromEntries(names.map((name) => [name, change(single[name])])), async (other) => {
        const dataset = await openFolder(dpr, other, 'nq');
        return [await passagesOf(dataset), await dataset.queries('test')];
      }),
    ),
  );
  assert.deepEqual(odd, plain);
});

const header = 'id\ttext\ttitle\n';
const single = {
  'psgs_w100.tsv': `${header}1\t"a ""b"" c"\tA\n2\tplain\tB\n`,
  'nq-test.qa.csv': "who\t['x', \"it's\"]\n",
};
for (const [name, files, patterns] of [
  ['a passage of two columns', { 'psgs_w100.tsv': `${header}1\ta\tb\n2\tc\n` }, [/line 3: 2 columns/]],
  [
    'a quote that never closes',
    { 'psgs_w100.tsv': `${header}1\t"a\tb\n2\tc\td\n` },
    [/line 2/, /not closed/],
  ],
  ['a passage without an id', { 'psgs_w100.tsv': `${header}\ta\tb\n` }, [/line 2: no id/]],
  [
    'passages with one id',
    { 'psgs_w100.tsv': `${header}7\ta\tb\n8\t"c\nd"\te\n7\tf\tg\n` },
    [/'7': psgs_w100.tsv, line 2 and psgs_w100.tsv, line 5/],
  ],
  ['no passages', { 'psgs_w100.tsv': header }, [/no passages/]],
  ['a NUL byte', { 'psgs_w100.tsv': `${header}1\ta\u0000\tb\n` }, [/line 2: a NUL byte/]],
  [
    'invalid UTF-8',
    {
      'psgs_w100.tsv': Buffer.concat([
        Buffer.from(header),
        Buffer.from([0x31, 0x09, 0xff, 0x09, 0x62, 0x0a]),
      ]),
    },
    [/psgs_w100.tsv, line 2: not valid UTF-8/],
  ],
  ['an empty file of passages', { 'psgs_w100.tsv': '' }, [/psgs_w100.tsv holds no passages/]],
  ['an empty training file', { 'biencoder-nq-train.json': '' }, [/biencoder-nq-train.json/, /empty|array/]],
  [
    'answers that are no list',
    { 'nq-test.qa.csv': "who\t['a']\nwhat\tb\n" },
    [/line 2/, /no list of strings/],
  ],
  [
    'answers that do not close',
    { 'nq-test.qa.csv': "who\t['a', 'b\n" },
    [/line 1/, /not closed/, /character 9/],
  ],
  ['a question without answers', { 'nq-test.qa.csv': 'who\n' }, [/line 1: 1 columns/]],
  ['an empty question file', { 'nq-test.qa.csv': '' }, [/no questions/]],
  [
    'a training file cut short',
    { 'biencoder-nq-train.json': whole['biencoder-nq-train.json'].subarray(0, -40) },
    [/element 3/, /middle/],
  ],
  [
    'a training file of something else',
    { 'biencoder-nq-train.json': '[{"question": "x"}]' },
    [/element 1: positive_ctxs is missing/],
  ],
  [
    'a ctx without an id',
    { 'biencoder-nq-train.json': '[{"question":"x","answers":[],"positive_ctxs":[{"title":"","text":""}]}]' },
    [/positive_ctxs\[0\].passage_id is missing/],
  ],
  [
    'a packed file cut short',
    { 'psgs_w100.tsv': gzipSync(whole['psgs_w100.tsv']).subarray(0, -20) },
    [/damaged gzip/],
  ],
] as const) {
  test(`refuses ${name}`, () => refuses(dpr, { ...whole, ...files }, 'nq', 'DATA_INVALID', ...patterns));
}

test('a folder that lacks a file, and no variant, say what to do', async () => {
  await refuses(dpr, { 'psgs_w100.tsv': header }, 'nq', 'PATH_INVALID', /no nq-test.qa.csv/);
  await refuses(dpr, {}, 'trivia', 'PATH_INVALID', /no psgs_w100.tsv/);
  await assert.rejects(
    openFolder(dpr, folder),
    (error) => error instanceof BenchError && /dpr\/nq/.test(error.hint ?? ''),
  );
});
