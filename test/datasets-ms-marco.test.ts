/** MS MARCO's files, read from folders: splits, titles, negatives from triples, and what is broken. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { NumberedLists } from '../datasets/collection/numbered-lists.js';
import { tripleNegatives } from '../datasets/ms-marco/negatives.js';
import msMarco from '../datasets/ms-marco.js';
import { openDataset } from '../harness/pipeline/open-dataset.js';
import { silentProgress } from '../harness/progress.js';
import { Store } from '../harness/store/store.js';
import { trainingExamples } from '../harness/train/examples.js';
import { fixtures, inFolder, openFolder, passagesOf, refuses } from './datasets-folder.js';
import { rewriteManifest } from './forged-manifest.js';

const dl19 = path.join(fixtures, 'ms-marco/dl19');
const titled = path.join(fixtures, 'ms-marco/titles');

test('topics that are missing are named as their publisher names them', () =>
  inFolder({ 'collection.tsv': '1\ta\n' }, (folder) =>
    assert.rejects(
      openFolder(msMarco, folder, 'dl19'),
      /no msmarco-test2019-queries\.tsv, no queries\.tsv, no topics\.tsv/,
    ),
  ));

test('dl19: judged topics alone, graded, relevant from 2', async () => {
  const dataset = await openFolder(msMarco, dl19, 'dl19');
  assert.equal(dataset.relevantFrom, 2);
  assert.deepEqual(await dataset.queries('test'), [{ queryId: '41', text: 'what is snow' }]);
  assert.deepEqual(
    (await dataset.qrels('test')).map(({ passageId, relevance }) => [passageId, relevance]),
    [
      ['1', 3],
      ['0', 1],
      ['4', 0],
    ],
  );
  assert.deepEqual((await passagesOf(dataset))[3], { passageId: '3', title: '', text: 'A café in Paris.' });
});

test("a track's limit of relevance is one of its topics: queries train on their positives of grade 1", async () => {
  const dataset = await openFolder(msMarco, dl19, 'dl19');
  const tokenizer = { query: () => new Int32Array(1), passage: () => new Int32Array(1) };
  const options = { negatives: 0, negativePool: 1 };
  const { counts } = await trainingExamples(dataset, 'train', tokenizer, options, []);
  assert.deepEqual([counts.examples, counts.withoutPositive], [2, 0]);
});

test('without a variant the test queries are dev.small, and no dev query is among them', async () => {
  const dataset = await openFolder(msMarco, dl19);
  assert.equal(dataset.name, 'ms-marco');
  assert.equal(dataset.relevantFrom, undefined);
  const ids = async (split: 'train' | 'dev' | 'test') =>
    (await dataset.queries(split)).map(({ queryId }) => queryId).sort();
  assert.deepEqual(await ids('test'), ['31']);
  assert.deepEqual(await ids('dev'), ['21', '22']);
  assert.deepEqual(await ids('train'), ['11', '12']);
  assert.match(dataset.remarks!.join(), /1 train qrel names a passage/);
});

test('negatives: the first distinct ones of judged queries, judged passages left out', async () => {
  const negatives = await (await openFolder(msMarco, dl19)).negatives!('train');
  assert.equal(negatives.size, 2);
  assert.deepEqual(negatives.get('11'), ['1', '3', '4']);
  assert.deepEqual(negatives.get('12'), ['4']);
  assert.equal(negatives.get('99'), undefined);
  assert.deepEqual([...negatives.keys()], ['11', '12']);
  assert.deepEqual([...negatives], [...negatives.entries()]);
});

test('negatives: 200 a query, the pool that the paper draws 15 from', async () => {
  const triples = Array.from({ length: 250 }, (_, i) => `7\t3\t${1000 + i}\n`).join('');
  await inFolder({ 'triples.tsv': triples }, async (folder) => {
    const qrels = new Map([['7', new Map([['3', 1]])]]);
    const found = await tripleNegatives(path.join(folder, 'triples.tsv'), qrels);
    const list = found.get('7')!;
    assert.deepEqual([list.length, list[0], list.at(-1)], [200, '1000', '1199']);
  });
});

test('negatives of triples are numbers of four bytes in their usual form, or are refused with their line', async () => {
  const qrels = new Map([['7', new Map([['3', 1]])]]);
  for (const [passage, taken] of [
    ['0', true],
    ['4294967295', true],
    ['4294967296', false],
    ['007', false],
    ['+7', false],
    ['-0', false],
    ['-1', false],
    ['7.0', false],
  ] as const)
    await inFolder({ 'triples.tsv': `7\t3\t1\n7\t3\t${passage}\n` }, async (folder) => {
      const read = tripleNegatives(path.join(folder, 'triples.tsv'), qrels);
      if (taken) assert.deepEqual((await read).get('7'), ['1', passage]);
      else await assert.rejects(read, { code: 'DATA_INVALID', message: /line 2: passage '/ }, passage);
    });
});

test('titles are merged by their order, and passages without one have none', async () => {
  const dataset = await openFolder(msMarco, titled, 'titles');
  assert.deepEqual(
    (await passagesOf(dataset)).map(({ title }) => title),
    ['Rain', '', 'Sport', 'Paris', ''],
  );
});

test('titles in another order are refused', async () => {
  await inFolder({}, async (folder) => {
    await cp(titled, folder, { recursive: true });
    await writeFile(path.join(folder, 'para.title.txt'), '2\tSport\n0\tRain\n');
    await assert.rejects(openFolder(msMarco, folder, 'titles'), /para.title.txt, line 2: the passage '0'/);
  });
});

test('a folder for searching alone needs the collection and the test queries', async () => {
  const files = { 'collection.tsv': '0\ta\n', 'queries.dev.small.tsv': '1\tq\n' };
  await inFolder(files, async (folder) => {
    const dataset = await openFolder(msMarco, folder);
    assert.deepEqual(await dataset.queries('test'), [{ queryId: '1', text: 'q' }]);
    assert.equal(dataset.negatives, undefined);
    assert.match(dataset.remarks!.join(), /no qrels/);
    await rm(path.join(folder, 'collection.tsv'));
    await assert.rejects(openFolder(msMarco, folder), /no collection.tsv/);
  });
});

const whole = {
  'collection.tsv': '0\ta\n1\tb\n',
  'queries.dev.small.tsv': '1\tq\n',
  'qrels.dev.small.tsv': '1\t0\t0\t1\n',
};
for (const [name, files, pattern] of [
  ['a NUL byte', { 'collection.tsv': '0\ta\n1\tb\u0000\n' }, /line 2: a NUL byte/],
  [
    'a packed file cut short',
    { 'queries.dev.small.tsv': gzipSync('1\tq\n2\tr\n').subarray(0, -9) },
    /damaged gzip/,
  ],
  [
    'invalid UTF-8',
    { 'queries.dev.small.tsv': Buffer.from([0x31, 0x09, 0xff, 0x0a]) },
    /queries.dev.small.tsv, line 1: not valid UTF-8/,
  ],
  ['empty qrels', { 'qrels.dev.small.tsv': '' }, /qrels.dev.small.tsv holds no qrels/],
  [
    'a query id with a space',
    { 'queries.dev.small.tsv': '1 2\tq\n' },
    /line 1: the query id "1 2" cannot stand/,
  ],
  ['a line without a tab', { 'collection.tsv': '0\ta\n1 b\n' }, /line 2: no tab/],
  ['a line of three columns', { 'collection.tsv': '0\ta\tb\n' }, /line 1: 3 columns/],
  ['a line without an id', { 'collection.tsv': '\ta\n' }, /line 1: no id/],
  [
    'passages with one id',
    { 'collection.tsv': '0\ta\n0\tb\n' },
    /'0': collection.tsv, line 1 and collection.tsv, line 2/,
  ],
  ['queries with one id', { 'queries.dev.small.tsv': '1\tq\n1\tr\n' }, /line 1 and line 2/],
  ['no queries', { 'queries.dev.small.tsv': '' }, /no queries/],
  ['no passages', { 'collection.tsv': '\n' }, /no passages/],
] as const) {
  test(`refuses ${name}`, () => refuses(msMarco, { ...whole, ...files }, undefined, 'DATA_INVALID', pattern));
}

test('a byte order mark and CRLF do no harm', () =>
  inFolder(
    Object.fromEntries(
      Object.entries(whole).map(([name, text]) => [name, `\uFEFF${text.replaceAll('\n', '\r\n')}`]),
    ),
    async (folder) => {
      const dataset = await openFolder(msMarco, folder);
      assert.deepEqual(
        (await passagesOf(dataset)).map(({ passageId, text }) => [passageId, text]),
        [
          ['0', 'a'],
          ['1', 'b'],
        ],
      );
      assert.deepEqual(await dataset.queries('test'), [{ queryId: '1', text: 'q' }]);
      assert.deepEqual(await dataset.qrels('test'), [{ queryId: '1', passageId: '0', relevance: 1 }]);
    },
  ));

test('lists of numbers keep the first distinct entries, up to their length', () => {
  const lists = new NumberedLists(['a', 'b'], 3);
  const slot = lists.slotOf('b')!;
  for (const passage of [5, 5, 4_294_967_295, 0, 9]) lists.add(slot, passage);
  assert.ok(lists.isFull(slot));
  assert.deepEqual(lists.get('b'), ['5', '4294967295', '0']);
  assert.deepEqual(lists.get('a'), []);
  assert.deepEqual([...lists.values()], [[], ['5', '4294967295', '0']]);
  assert.equal(lists.slotOf('c'), undefined);
  assert.ok(lists.has('a') && !lists.has('c'));
});

test('the triples are read once: what is kept of them serves until they or the qrels change', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-triples-'));
  try {
    const data = path.join(folder, 'data');
    await cp(path.join(fixtures, 'ms-marco', 'dl19'), data, { recursive: true });
    const store = new Store(path.join(folder, 'cache'));
    const triples = path.join(data, 'qidpidtriples.train.full.2.tsv');
    const then = new Date('2020-01-01T00:00:00Z');
    await utimes(triples, then, then);
    const request = { dataset: 'ms-marco', data, offline: true };
    const negatives = async () => {
      const dataset = await openDataset(request, store, silentProgress());
      return [...(await dataset.negatives!('train'))];
    };
    const read = await negatives();
    assert.deepEqual(read, [...(await (await openFolder(msMarco, data)).negatives!('train'))]);
    assert.ok(read.some(([, list]) => list.length > 0));
    const { size } = await stat(triples);
    // What is kept is what is served: here another list, which no reading of the triples gives.
    const findings = path.join(folder, 'cache', 'findings');
    const names = await readdir(findings, { recursive: true });
    const kept = path.join(findings, names.find((name) => path.basename(name) === 'content')!);
    const ids = read.map(([queryId]) => queryId);
    const lists = new NumberedLists(ids, 100);
    lists.add(lists.slotOf(ids[0]!)!, 77);
    await lists.write(kept);
    await rewriteManifest(path.dirname(kept));
    assert.deepEqual((await negatives())[0], [ids[0], ['77']]);
    // Other bytes of the same size under the same time: the time of the last change tells.
    await writeFile(triples, 'x'.repeat(size));
    await utimes(triples, then, then);
    await assert.rejects(negatives(), /line 1: 1 columns/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('lists come back as they were written; a file of other queries is refused', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-lists-'));
  try {
    const file = path.join(folder, 'lists');
    const lists = new NumberedLists(['a', 'b', 'c'], 3);
    for (const passage of [5, 4_294_967_295]) lists.add(lists.slotOf('c')!, passage);
    lists.add(lists.slotOf('a')!, 7);
    await lists.write(file);
    assert.deepEqual([...(await NumberedLists.read(file, ['a', 'b', 'c'], 3))], [...lists]);
    await assert.rejects(NumberedLists.read(file, ['a', 'b'], 3), /does not hold the lists of 2 queries/);
    await assert.rejects(NumberedLists.read(file, ['a', 'b', 'c'], 1), /does not hold the lists/);
    await truncate(file, 18);
    await assert.rejects(NumberedLists.read(file, ['a', 'b', 'c'], 3), /CACHE_INVALID|does not hold/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
