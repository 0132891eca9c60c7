/** BEIR's layout, read from folders: values, and what is broken. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import beir from '../datasets/beir.js';
import { BenchError } from '../harness/errors.js';
import { fixtures, inFolder, openFolder, passagesOf, refuses } from './datasets-folder.js';
import { sharedData } from './places.js';

const whole = {
  'corpus.jsonl': '{"_id":"d1","title":"T","text":"one"}\n{"_id":"d2","title":"","text":"two"}\n',
  'queries.jsonl': '{"_id":"q1","text":"first"}\n{"_id":"q2","text":"second"}\n',
  'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq1\td1\t1\n',
};

test('a folder of the layout: records of every split', async () => {
  const dataset = await openFolder(beir, path.join(fixtures, 'beir/nfcorpus'));
  assert.equal(dataset.name, 'beir');
  assert.deepEqual(await passagesOf(dataset), [
    { passageId: 'd1', title: 'Fish', text: 'Fish swim in water.' },
    { passageId: 'd2', title: '', text: 'Birds fly.' },
    { passageId: 'd3', title: '', text: 'No title at all.' },
  ]);
  assert.deepEqual(await dataset.queries('test'), [
    { queryId: 'q1', text: 'what swims' },
    { queryId: 'q2', text: 'what flies' },
  ]);
  assert.deepEqual(await dataset.qrels('test'), [
    { queryId: 'q1', passageId: 'd1', relevance: 2 },
    { queryId: 'q1', passageId: 'd2', relevance: -1 },
    { queryId: 'q2', passageId: 'd2', relevance: 1 },
  ]);
  assert.deepEqual(await dataset.queries('train'), [{ queryId: 'q3', text: 'train a fish' }]);
  assert.deepEqual(await dataset.queries('dev'), []);
  assert.deepEqual(dataset.remarks, []);
});

test('qrels of a split that is called otherwise are told, and a foreign header with the one that is known', async () => {
  const more = { 'qrels/valid.tsv': 'q2\td2\t1\n', 'qrels/validation.tsv.gz': gzipSync('q2\td2\t1\n') };
  await inFolder(
    { ...whole, ...more, 'qrels/README': 'x', 'qrels/dev.tsv': 'q2\td2\t1\n' },
    async (folder) => {
      const { remarks } = await openFolder(beir, folder);
      assert.deepEqual(remarks, [
        'qrels/valid.tsv, qrels/validation.tsv.gz are not read: the qrels of a split are called train.tsv, dev.tsv or test.tsv.',
      ]);
      // What else the folder of a known collection holds is known, too: MS MARCO's test.tsv.
      assert.deepEqual((await openFolder(beir, folder, 'scifact')).remarks, []);
    },
  );
  const foreign = { ...whole, 'qrels/test.tsv': 'query_id\tdoc_id\trelevance\nq1\td1\t1\n' };
  await refuses(beir, foreign, undefined, 'DATA_INVALID', /line 1: relevance 'relevance' is not a number/);
  const error = await inFolder(foreign, (folder) => openFolder(beir, folder)).catch(
    (cause: unknown) => cause,
  );
  assert.match((error as BenchError).hint!, /a header\?.*query-id corpus-id score/);
});

const scifact = path.join(sharedData, 'scifact');
test('SciFact: counts, first and last', { skip: !existsSync(scifact) && `no ${scifact}` }, async () => {
  const dataset = await openFolder(beir, scifact, 'scifact');
  const passages = await passagesOf(dataset);
  assert.equal(dataset.passageCount, 5183);
  assert.equal(passages.length, 5183);
  assert.equal(passages[0]!.passageId, '4983');
  assert.match(passages[0]!.title, /^Microstructural development of human newborn/);
  assert.equal((await dataset.queries('train')).length, 809);
  assert.equal((await dataset.queries('test')).length, 300);
  assert.equal((await dataset.qrels('test')).length, 339);
  assert.deepEqual((await dataset.qrels('test'))[0], { queryId: '1', passageId: '31715818', relevance: 1 });
});

test('packed files, CRLF, a byte order mark and a missing last newline read the same', async () => {
  const odd = {
    'corpus.jsonl.gz': gzipSync(`\uFEFF${whole['corpus.jsonl'].replaceAll('\n', '\r\n')}`),
    'queries.jsonl': whole['queries.jsonl'].trimEnd(),
    'qrels/test.tsv.gz': gzipSync(whole['qrels/test.tsv'].replaceAll('\n', '\r\n').trimEnd()),
  };
  const [a, b] = await Promise.all(
    [whole, odd].map((files) =>
      inFolder(files, async (folder) => {
        const dataset = await openFolder(beir, folder);
        return [await passagesOf(dataset), await dataset.queries('test'), await dataset.qrels('test')];
      }),
    ),
  );
  assert.deepEqual(a, b);
});

test('qrels of what is not there: kept in test, left out of train, and counted', async () => {
  const qrels = 'query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\tgone\t1\nq9\td1\t1\n';
  await inFolder(
    { ...whole, 'qrels/test.tsv': qrels, 'qrels/train.tsv': `${qrels}q2\tgone\t1\n` },
    async (folder) => {
      const dataset = await openFolder(beir, folder);
      assert.equal((await dataset.qrels('test')).length, 3);
      assert.deepEqual(
        (await dataset.queries('test')).map(({ queryId }) => queryId),
        ['q1'],
      );
      assert.deepEqual(await dataset.qrels('train'), [{ queryId: 'q1', passageId: 'd1', relevance: 1 }]);
      assert.deepEqual(
        (await dataset.queries('train')).map(({ queryId }) => queryId),
        ['q1'],
      );
      const remarks = dataset.remarks!.join('\n');
      assert.match(remarks, /1 test qrel names a passage .*counts as relevant/);
      assert.match(remarks, /2 train qrels name passages .*left out/);
      assert.match(remarks, /1 query of the test qrels has no text/);
    },
  );
});

test('a folder without qrels can be searched, and says that it cannot be evaluated', async () => {
  const { 'qrels/test.tsv': _, ...files } = whole;
  await inFolder(files, async (folder) => {
    const dataset = await openFolder(beir, folder);
    assert.equal((await dataset.queries('test')).length, 2);
    assert.deepEqual(await dataset.qrels('test'), []);
    assert.match(dataset.remarks!.join(), /no qrels for the test queries/);
  });
});

test('a passage of 10 MB is read', async () => {
  const text = 'word '.repeat(2_000_000);
  await inFolder({ ...whole, 'corpus.jsonl': `${JSON.stringify({ _id: 'd1', text })}\n` }, async (folder) => {
    const [passage] = await passagesOf(await openFolder(beir, folder));
    assert.equal(passage!.text, text);
  });
});

for (const [name, files, patterns] of [
  ['an _id that is a number', { 'corpus.jsonl': '{"_id":1,"text":"x"}\n' }, [/line 1: _id is 1/]],
  ['an empty _id', { 'corpus.jsonl': '{"_id":"","text":"x"}\n' }, [/line 1: the _id "" cannot stand/]],
  ['an _id with a space', { 'corpus.jsonl': '{"_id":"d 1","text":"x"}\n' }, [/line 1: the _id "d 1"/]],
  [
    'a query id with a tab',
    { 'queries.jsonl': '{"_id":"q\\t1","text":"x"}\n' },
    [/queries.jsonl, line 1: the _id/],
  ],
  [
    'a query id that begins with #',
    { 'queries.jsonl': '{"_id":"#1","text":"x"}\n' },
    [/queries.jsonl, line 1: the _id "#1" cannot begin a line/],
  ],
  ['a passage without text', { 'corpus.jsonl': '{"_id":"a","title":"x"}\n' }, [/line 1: text is missing/]],
  [
    'passages with one id',
    { 'corpus.jsonl': '{"_id":"a","text":"x"}\n{"_id":"b","text":"x"}\n{"_id":"a","text":"y"}\n' },
    [/'a': corpus.jsonl, line 1 and corpus.jsonl, line 3/],
  ],
  [
    'queries with one id',
    { 'queries.jsonl': '{"_id":"a","text":"x"}\n{"_id":"a","text":"y"}\n' },
    [/'a'.*line 1 and line 2/],
  ],
  [
    'a line cut in the middle',
    { 'corpus.jsonl': '{"_id":"a","text":"x"}\n{"_id":"b","te' },
    [/line 2: not JSON/],
  ],
  ['an empty corpus', { 'corpus.jsonl': '' }, [/no passages/]],
  ['empty queries', { 'queries.jsonl': '' }, [/queries.jsonl holds no queries/]],
  ['empty qrels', { 'qrels/test.tsv': '' }, [/no qrels/]],
  ['a grade that is no number', { 'qrels/test.tsv': 'q1\td1\tyes\n' }, [/line 1: relevance 'yes'/]],
  ['a pair judged twice', { 'qrels/test.tsv': 'q1\td1\t1\nq1\td1\t0\n' }, [/line 2/, /twice/]],
  [
    'a packed file cut short',
    { 'corpus.jsonl': gzipSync(whole['corpus.jsonl']).subarray(0, -9) },
    [/corpus.jsonl/, /damaged gzip/],
  ],
  ['a NUL byte', { 'queries.jsonl': '{"_id":"a","text":"x\u0000"}\n' }, [/line 1: a NUL byte/]],
  ['invalid UTF-8', { 'queries.jsonl': Buffer.from([0x7b, 0xff, 0x7d, 0x0a]) }, [/line 1: not valid UTF-8/]],
] as const) {
  test(`refuses ${name}`, () =>
    refuses(beir, { ...whole, ...files }, undefined, 'DATA_INVALID', ...patterns));
}

test('a folder that lacks a file, and a collection that is not public, say what to do', async () => {
  await refuses(
    beir,
    { 'queries.jsonl': whole['queries.jsonl'] },
    undefined,
    'PATH_INVALID',
    /no corpus.jsonl/,
  );
  await refuses(
    beir,
    { 'corpus.jsonl': whole['corpus.jsonl'] },
    undefined,
    'PATH_INVALID',
    /no queries.jsonl/,
  );
  for (const variant of ['bioasq', 'signal1m', 'trec-news', 'robust04']) {
    const opening = beir.open({ variant, fetch: () => Promise.reject(new Error('fetched')) });
    await assert.rejects(opening, (error) => error instanceof BenchError && /--data/.test(error.hint ?? ''));
  }
});

test('cqadupstack stands for its twelve forums, all of them variants', () => {
  const forums = beir.groups!.cqadupstack!;
  assert.equal(forums.length, 12);
  for (const forum of forums) assert.ok(beir.variants!.includes(forum), forum);
});
