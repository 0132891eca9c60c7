/** Collections and topics in TREC's formats: values, and what is broken. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import trec from '../datasets/trec.js';
import { fixtures, inFolder, openFolder, passagesOf, refuses } from './datasets-folder.js';

test('documents and topics as TREC marks them up', async () => {
  const dataset = await openFolder(trec, path.join(fixtures, 'trec'));
  assert.deepEqual(await passagesOf(dataset), [
    {
      passageId: 'FT911-1',
      title: 'FT 14 MAY 91 / International: AT&T',
      text: 'First part, over lines. Second part.',
    },
    { passageId: 'FT911-2', title: '', text: 'Everything else is text.' },
  ]);
  assert.deepEqual(await dataset.queries('test'), [
    { queryId: '301', text: 'International Organized Crime' },
    { queryId: '302', text: 'Poliomyelitis' },
  ]);
  assert.equal((await dataset.qrels('test')).length, 3);
});

test('a folder of packed files, XML topics, and splits by name', async () => {
  const files = {
    'docs/b.gz': gzipSync('<DOC><DOCNO>b1</DOCNO><TITLE>T</TITLE><TEXT>two</TEXT></DOC>\n'),
    'docs/a.tsv': 'a1\tone\r\na2\tanother\r\n',
    'topics.train.tsv': '1\tto train on\n',
    'topics.xml':
      '<topics>\n<topic number="7">\n<query>what &lt; now</query>\n<question>?</question>\n</topic>\n</topics>\n',
    'qrels.train.txt': '1 0 b1 1\n',
    'qrels.covid.txt': '7 0 a2 2\n',
  };
  await inFolder(files, async (folder) => {
    const dataset = await openFolder(trec, folder);
    assert.deepEqual(
      (await passagesOf(dataset)).map(({ passageId, title }) => [passageId, title]),
      [
        ['a1', ''],
        ['a2', ''],
        ['b1', 'T'],
      ],
    );
    assert.deepEqual(await dataset.queries('test'), [{ queryId: '7', text: 'what < now' }]);
    assert.deepEqual(await dataset.queries('train'), [{ queryId: '1', text: 'to train on' }]);
  });
});

test('topics whose tags have attributes, on one line or more, and whose text stands alone or in a field', async () => {
  const topics = [
    '<topic number="1">\n<query>one</query>\n</topic>',
    '<topic\n  type="faceted"\n  doc-id="9" number = "2">\n<title lang="en">two</title>\n<subtopic number="1">x</subtopic></topic>',
    "<TOPIC NUMBER='3'>\nA patient of 45 years\nwith a cough.\n</TOPIC>",
    '<topic id="4"><title>four</title></topic>',
    '<topic lang="en"><identifier>10.2452/5-AH</identifier><title>five</title></topic>',
  ];
  const files = {
    'collection.tsv': 'd1\tone\n',
    'topics.xml': `<topics task="2021">\n${topics.join('\n')}\n</topics>\n`,
  };
  await inFolder(files, async (folder) => {
    const queries = await (await openFolder(trec, folder)).queries('test');
    assert.deepEqual(
      queries.map(({ queryId, text }) => [queryId, text]),
      [
        ['1', 'one'],
        ['2', 'two'],
        ['3', 'A patient of 45 years with a cough.'],
        ['4', 'four'],
        ['10.2452/5-AH', 'five'],
      ],
    );
  });
});

const whole = { 'collection.tsv': 'd1\tone\n', 'topics.tsv': '1\ta\n', 'qrels.txt': '1 0 d1 1\n' };
for (const [name, files, code, pattern] of [
  [
    'a document that does not close',
    { 'collection.tsv': '\n<DOC><DOCNO>a</DOCNO>\n' },
    'DATA_INVALID',
    /line 2: <doc> opens/,
  ],
  [
    'a document without a number',
    { 'collection.tsv': '<DOC>x</DOC>\n' },
    'DATA_INVALID',
    /line 1: .*<DOCNO> is ''/,
  ],
  [
    'documents with one number',
    { 'collection.tsv': 'd1\ta\nd1\tb\n' },
    'DATA_INVALID',
    /'d1': collection.tsv, line 1 and collection.tsv, line 2/,
  ],
  [
    'a topic without a title',
    { 'topics.tsv': '<top>\n<num> Number: 1\n</top>\n' },
    'DATA_INVALID',
    /line 1: .*title ''/,
  ],
  [
    'a topic of other fields, which are named',
    { 'topics.tsv': '<topic number="1"><disease>x</disease><gene>y</gene></topic>\n' },
    'DATA_INVALID',
    /the title ''; it holds <disease>, <gene>/,
  ],
  [
    'a tag that never ends',
    { 'topics.tsv': '<topics>\n<topic\nnumber="1"\n' },
    'DATA_INVALID',
    /line 2: <topic> opens and is not closed/,
  ],
  [
    'topics with one number',
    { 'topics.tsv': '<top><num>1<title>a</top>\n<top><num>1<title>b</top>\n' },
    'DATA_INVALID',
    /'1'.*line 1 and line 2/,
  ],
  [
    'a topic whose number has a space',
    { 'topics.tsv': '<top>\n<num> Number: 1 a\n<title>x\n</top>\n' },
    'DATA_INVALID',
    /line 1: the number "1 a" cannot stand in a TREC file/,
  ],
  [
    'a query id with a space',
    { 'topics.tsv': '1 a\tx\n' },
    'DATA_INVALID',
    /line 1: the query id "1 a" cannot stand/,
  ],
  [
    'a passage id with a space',
    { 'collection.tsv': 'd1\tone\nd 2\ttwo\n' },
    'DATA_INVALID',
    /collection.tsv, line 2: the passage id "d 2" cannot stand/,
  ],
  ['a line without a tab', { 'collection.tsv': 'd1\tone\nd2 two\n' }, 'DATA_INVALID', /line 2: no tab/],
  ['a NUL byte', { 'topics.tsv': '1\ta\u0000\n' }, 'DATA_INVALID', /topics.tsv, line 1: a NUL byte/],
  [
    'invalid UTF-8',
    { 'collection.tsv': Buffer.from([0x64, 0x31, 0x09, 0xff, 0x0a]) },
    'DATA_INVALID',
    /collection.tsv, line 1: not valid UTF-8/,
  ],
  [
    'a packed file cut short',
    { 'collection.tsv': gzipSync('d1\tone\n').subarray(0, -9) },
    'DATA_INVALID',
    /damaged gzip/,
  ],
  ['empty topics', { 'topics.tsv': '' }, 'DATA_INVALID', /topics.tsv is empty/],
  ['empty qrels', { 'qrels.txt': '' }, 'DATA_INVALID', /qrels.txt holds no qrels/],
  ['an empty collection', { 'collection.tsv': '' }, 'DATA_INVALID', /empty/],
  ['two files of topics', { 'topics.2.tsv': '2\tb\n' }, 'PATH_INVALID', /both topics of the test split/],
  ['a line of qrels cut short', { 'qrels.txt': '1 0 d1 1\n1 0\n' }, 'DATA_INVALID', /line 2/],
] as const) {
  test(`refuses ${name}`, () => refuses(trec, { ...whole, ...files }, undefined, code, pattern));
}

test('a folder without a collection or topics says what is missing', async () => {
  await refuses(
    trec,
    { 'qrels.txt': '1 0 d1 1\n' },
    undefined,
    'PATH_INVALID',
    /no collection and no topics/,
  );
});

test('CRLF, a byte order mark, and a folder without qrels', async () => {
  const windows = (text: string) => `\uFEFF${text.replaceAll('\n', '\r\n')}`;
  const files = {
    'collection.trec': windows('<DOC>\n<DOCNO> d1 </DOCNO>\n<TEXT>\none\ntwo\n</TEXT>\n</DOC>\n'),
    'docs.tsv': windows('d2\tthree\n'),
    'topics.txt': windows('<top>\n<num> Number: 1\n<title> what\n</top>\n'),
  };
  await inFolder(files, async (folder) => {
    const dataset = await openFolder(trec, folder);
    assert.deepEqual(
      (await passagesOf(dataset)).map(({ passageId, text }) => [passageId, text]),
      [
        ['d1', 'one two'],
        ['d2', 'three'],
      ],
    );
    assert.deepEqual(await dataset.queries('test'), [{ queryId: '1', text: 'what' }]);
    assert.match(dataset.remarks!.join(), /no qrels for the test queries/);
  });
});

test('a passage of 10 MB is read, tagged or not', async () => {
  const text = 'word '.repeat(2_000_000).trim();
  const tagged = `<DOC>\n<DOCNO>d1</DOCNO>\n<TEXT>${text}</TEXT>\n</DOC>\n`;
  const files = { ...whole, 'collection.tsv': `d2\t${text}\n`, 'docs.trec': tagged };
  await inFolder(files, async (folder) => {
    for (const passage of await passagesOf(await openFolder(trec, folder)))
      assert.ok(passage.text === text, passage.passageId);
  });
});
