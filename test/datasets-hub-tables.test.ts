/** Copies of repositories with tables that are not as they should be, and which files are taken for what. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { layoutOf } from '../datasets/hub/layout.js';
import plugin from '../datasets/hub.js';
import { inFolder, openFolder, passagesOf, refuses } from './datasets-folder.js';
import { inFixtures } from './places.js';

const parquet = (name: string) => readFileSync(inFixtures(name));
const good = {
  'corpus/corpus-00000-of-00001.parquet': parquet('hub/nano/corpus/train-00000-of-00001.parquet'),
  'queries.parquet': parquet('hub/nano/queries/train-00000-of-00001.parquet'),
  'qrels/test.parquet': parquet('hub/nano/qrels/train-00000-of-00001.parquet'),
};
const refused = (changes: Readonly<Record<string, string | Buffer>>, ...messages: RegExp[]) =>
  refuses(plugin, { ...good, ...changes }, undefined, 'DATA_INVALID', ...messages);

test('a copy without a README, by the names of its folders and files', () =>
  inFolder(good, async (folder) => {
    const dataset = await openFolder(plugin, folder);
    assert.equal(dataset.version, 'hub-1');
    assert.equal((await passagesOf(dataset)).length, 5);
    assert.equal((await dataset.qrels('test')).length, 3);
  }));

test('a table of another schema is refused with the columns that it has', async () => {
  const [corpus, others] = [good['corpus/corpus-00000-of-00001.parquet'], parquet('parquet/others.parquet')];
  const name = 'corpus/corpus-00000-of-00001.parquet';
  await refused({ [name]: others }, /has no column _id or id\. It has: bytes \(BYTE_ARRAY\), list \(LIST\)/);
  await refused({ 'queries.parquet': good['qrels/test.parquet'] }, /no column _id or id\. It has: query-id/);
  await refused(
    { 'qrels/test.parquet': corpus },
    /no column query-id\. It has: _id \(BYTE_ARRAY UTF8\), text/,
  );
  await refused({ [name]: corpus.subarray(0, 400) }, /is cut off/);
  await refused({ [name]: '{"_id": "a", "text": "b"}\n' }, /begins with "\{\\"_i", not with PAR1/);
});

test('rows that lack what they need, or have it twice, are refused with their place', async () => {
  const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const passages = lines({ _id: 'd1', text: 'one' }, { _id: 'd2', text: 'two' });
  const { 'corpus/corpus-00000-of-00001.parquet': _, ...others } = good;
  const wrong = (files: Readonly<Record<string, string>>, ...messages: RegExp[]) =>
    refuses(
      plugin,
      { ...others, 'corpus.jsonl': passages, ...files },
      undefined,
      'DATA_INVALID',
      ...messages,
    );
  await wrong({ 'corpus.jsonl': lines({ _id: 7, text: 'x' }) }, /line 1: _id is 7, and a string is needed/);
  await wrong({ 'corpus.jsonl': lines({ _id: 'a' }) }, /line 1: text is missing/);
  await wrong({ 'corpus.jsonl': lines({ _id: 'a b', text: '' }) }, /line 1: the _id "a b" cannot stand/);
  const twice = lines({ _id: 'd1', text: '' }, { _id: 'd1', text: '' });
  await wrong({ 'corpus.jsonl': twice }, /Two passages have the id 'd1': .*line 1 and .*line 2/);
  const { 'queries.parquet': __, 'qrels/test.parquet': ___ } = others;
  const json = (queries: string, qrels: string, ...messages: RegExp[]) =>
    refuses(
      plugin,
      { 'corpus.jsonl': passages, 'queries.jsonl': queries, 'qrels/test.jsonl': qrels },
      undefined,
      'DATA_INVALID',
      ...messages,
    );
  const query = lines({ _id: '1', text: '?' });
  const judged = { 'query-id': '1', 'corpus-id': 'd1' };
  await json(
    lines({ _id: '1', text: '?' }, { _id: '1', text: '!' }),
    lines(judged),
    /Two queries have the id '1'/,
  );
  await json(query, lines(judged, judged), /line 2: passage 'd1' is judged twice for query '1'/);
  await json(query, lines({ ...judged, score: 0.5 }), /line 1: score is "0.5", not a whole number/);
  await json(query, lines({ ...judged, score: '1' }), /line 1: score is "1", not a whole number/);
  await json(query, '\n', /there are no qrels/);
  await json('\n', lines(judged), /there are no queries/);
});

test('queries with an instruction are refused, in a column or a configuration of their own; an empty one is none', async () => {
  const queries = (instruction: unknown) =>
    ['q1', 'q2'].map((_id) => `${JSON.stringify({ _id, text: 'barley', instruction })}\n`).join('');
  const { 'queries.parquet': _, ...others } = good;
  await refuses(
    plugin,
    { ...others, 'queries.jsonl': queries('Find what contradicts the claim.') },
    undefined,
    'DATA_INVALID',
    /queries\.jsonl, line 1: query 'q1' has an instruction, "Find what contradicts the claim\."/,
  );
  for (const none of ['', null, undefined])
    await inFolder({ ...others, 'queries.jsonl': queries(none) }, async (folder) => {
      assert.equal((await openFolder(plugin, folder)).remarks!.length, 0);
    });
  const readme = (...more: string[]) =>
    `---\nconfigs:\n${[['corpus', 'corpus/*'], ['queries', 'queries.parquet'], ['qrels', 'qrels/*'], ...more.map((name) => [name, `${name}/*`])].map(([name, files]) => `- config_name: ${name}\n  data_files:\n  - split: test\n    path: ${files}\n`).join('')}---\n`;
  await refused(
    { 'README.md': readme('instruction') },
    /its configuration 'instruction' belongs to the queries/,
  );
  await inFolder({ ...good, 'README.md': readme('top_ranked') }, async (folder) => {
    const { remarks } = await openFolder(plugin, folder);
    assert.deepEqual(remarks, ["The configurations 'top_ranked' are not read."]);
  });
});

test('several collections in one repository, each a split of its own, are not taken for one', () => {
  const { 'qrels/test.parquet': qrels, ...others } = good;
  const names = ['NanoArguAna', 'NanoSciFact'].map((name) => [`qrels/${name}.parquet`, qrels] as const);
  return refuses(
    plugin,
    { ...others, ...Object.fromEntries(names) },
    undefined,
    'DATA_INVALID',
    /has qrels of the splits 'NanoArguAna', 'NanoSciFact', none of which is train/,
  );
});

test('missing values: a title may be, an id may not', () =>
  inFolder(
    { ...good, 'corpus/corpus-00000-of-00001.parquet': parquet('parquet/zstd.parquet') },
    async (folder) => {
      const passages = await passagesOf(await openFolder(plugin, folder));
      assert.deepEqual([passages[0]!.title, passages[1]!.title, passages.length], ['', 'title 1', 300]);
    },
  ));

const files = [
  ...['README.md', 'corpus/a.parquet', 'corpus/deep/b.parquet', 'queries/a.parquet', 'data/test-1.parquet'],
  ...['data/train-1.parquet', 'other/corpus/c.parquet', 'script.py'],
];
const layout = (configs: string) => layoutOf(files, `---\nlicense: mit\nconfigs:\n${configs}\n---\ntext`);

test('what a README names, in each of the ways that the hub takes', () => {
  const corpusOf = (dataFiles: string) => layout(`- config_name: corpus\n  ${dataFiles}`).corpus;
  assert.deepEqual(corpusOf('data_files: corpus/*'), ['corpus/a.parquet']);
  assert.deepEqual(corpusOf('data_files: "corpus/**"'), ['corpus/a.parquet', 'corpus/deep/b.parquet']);
  assert.deepEqual(corpusOf('data_files: "**/b.parquet"'), ['corpus/deep/b.parquet']);
  assert.deepEqual(corpusOf('data_files: [./corpus/a.parquet, other/*/?.parquet]'), [
    'corpus/a.parquet',
    'other/corpus/c.parquet',
  ]);
  assert.deepEqual(corpusOf('data_files: {x: corpus/a.*, y: [corpus/*/b*t]}'), [
    'corpus/a.parquet',
    'corpus/deep/b.parquet',
  ]);
  assert.deepEqual(corpusOf('data_files: [{split: x, path: [corpus/a.parquet]}]'), ['corpus/a.parquet']);
  assert.deepEqual(corpusOf('data_dir: corpus/'), ['corpus/a.parquet', 'corpus/deep/b.parquet']);
  assert.deepEqual(corpusOf('data_dir: other\n  data_files: corpus/*'), ['other/corpus/c.parquet']);
  for (const nothing of [
    'data_files: "**/**/**/*"',
    `data_files: corpus/${'*'.repeat(600)}`,
    'data_files: 7',
    'x: y',
  ])
    assert.deepEqual(corpusOf(nothing), [], nothing);
  const { qrels, licence, missing } = layout('- config_name: default\n  data_files: {test: data/test-*}');
  assert.deepEqual([...qrels], [['test', ['data/test-1.parquet']]]);
  assert.equal(licence, 'mit');
  assert.equal(missing.length, 2);
  // A part with many stars is compared in the time of one.
  assert.deepEqual(corpusOf(`data_files: "corpus/${'a*'.repeat(200)}b"`), []);
});

test('which split is which', async () => {
  const row = (passage: string) => `{"query-id": "1", "corpus-id": "${passage}"}\n`;
  const tables = {
    'corpus.jsonl': '{"_id": "a", "text": ""}\n{"_id": "b", "text": ""}\n{"_id": "c", "text": ""}\n',
    'queries.jsonl': '{"_id": "1", "text": "?"}\n',
  };
  const judged = (qrels: Readonly<Record<string, string>>) =>
    inFolder({ ...tables, ...qrels }, async (folder) => {
      const dataset = await openFolder(plugin, folder);
      const of = async (split: 'train' | 'dev' | 'test') =>
        (await dataset.qrels(split)).map(({ passageId }) => passageId).join();
      return [await of('train'), await of('dev'), await of('test'), ...dataset.remarks!];
    });
  const [train, dev] = [row('a'), row('b')];
  assert.deepEqual(await judged({ 'qrels/validation.jsonl': dev, 'qrels/test.jsonl': row('c') }), [
    '',
    'b',
    'c',
  ]);
  assert.deepEqual(
    await judged({ 'qrels/train.jsonl': train, 'qrels/val.jsonl': dev, 'qrels/test.jsonl': row('c') }),
    [...['a', 'b', 'c']],
  );
  const [, , none, ...remarks] = await judged({ 'qrels/train.jsonl': train, 'qrels/dl19.jsonl': row('c') });
  assert.equal(none, '');
  assert.ok(
    remarks.some((remark) => /The qrels of 'dl19' are not read/.test(remark)),
    remarks.join(),
  );
});

test('where a README says nothing, only what lies in a folder itself counts, not what lies deeper', () => {
  const found = layoutOf(
    [
      'corpus/a.parquet',
      'corpus/deep/b.parquet',
      'queries/deep/er/c.parquet',
      'queries.parquet',
      'qrels/test.parquet',
    ],
    undefined,
  );
  assert.deepEqual(found.corpus, ['corpus/a.parquet']);
  assert.deepEqual(found.queries, ['queries.parquet']);
  assert.deepEqual([...found.qrels], [['test', ['qrels/test.parquet']]]);
});
