/** What collections are put together of: lists of numbers, lines of two columns, queries, files of a folder, judged splits. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { assertFolder, fileOf, findIn, needIn } from '../datasets/collection/files.js';
import { judgedPassages, judgedSplits } from '../datasets/collection/judged.js';
import { NumberedLists } from '../datasets/collection/numbered-lists.js';
import { QueryList } from '../datasets/collection/query-list.js';
import { tabLines, tabQueries } from '../datasets/collection/tab-lines.js';
import type { DatasetRequest, Download, Qrels } from '../harness/contracts.js';
import { writtenFiles } from './written-files.js';

const { folder, fileOf: written } = writtenFiles('strata-lists-');

test('lists take each passage once and no more than fit, and are read like a map of ids', async () => {
  const lists = new NumberedLists(['a', 'b', 'c'], 2);
  const [a, , c] = ['a', 'b', 'c'].map((id) => lists.slotOf(id)!) as [number, number, number];
  assert.equal(lists.slotOf('d'), undefined);
  assert.deepEqual([a, c], [0, 2]);
  for (const passage of [7, 7, 4_294_967_295, 9]) lists.add(a, passage);
  lists.add(c, 0);
  assert.deepEqual([lists.isFull(a), lists.isFull(c)], [true, false]);
  const expected: [string, string[]][] = [
    ['a', ['7', '4294967295']],
    ['b', []],
    ['c', ['0']],
  ];
  const reads = (found: NumberedLists) => {
    assert.deepEqual([...found], expected);
    assert.deepEqual([...found.entries()], expected);
    assert.deepEqual(
      [[...found.keys()], [...found.values()]],
      [['a', 'b', 'c'], expected.map(([, list]) => list)],
    );
    assert.deepEqual(
      [found.size, found.has('b'), found.has('d'), found.get('d')],
      [3, true, false, undefined],
    );
    const taken: unknown[] = [];
    found.forEach((list, id, map) => {
      assert.equal(map, found);
      taken.push([id, list]);
    });
    assert.deepEqual(taken, expected);
  };
  reads(lists);
  const file = path.join(folder, 'numbers');
  await lists.write(file);
  assert.deepEqual(
    [...new Uint32Array(new Uint8Array(readFileSync(file)).buffer)],
    [2, 0, 1, 7, 4_294_967_295, 0],
  );
  const again = await NumberedLists.read(file, ['a', 'b', 'c'], 2);
  reads(again);
  // What was read can be gone on with.
  again.add(again.slotOf('b')!, 5);
  assert.deepEqual([again.get('a'), again.get('b'), again.get('c')], [['7', '4294967295'], ['5'], ['0']]);
  reads(await NumberedLists.read(file, ['a', 'b', 'c'], 3));
  const damaged = (ids: string[], longest: number) =>
    assert.rejects(NumberedLists.read(file, ids, longest), { code: 'CACHE_INVALID' });
  await damaged(['a', 'b', 'c'], 1);
  await damaged(['a', 'b'], 2);
  await damaged(['a', 'b', 'c', 'd'], 2);
  for (const bytes of [25, 23, 20, 0]) {
    truncateSync(file, bytes);
    await damaged(['a', 'b', 'c'], 2);
  }
  const none = path.join(folder, 'none');
  await assert.rejects(NumberedLists.read(none, ['a'], 2), { code: 'CACHE_INVALID' });
  assert.equal((await NumberedLists.read(none, [], 2)).size, 0, 'no queries lack no lists');
});

test('lines are an id, one tab and a text, which may be empty', async () => {
  const read = async (text: string) => {
    const lines: unknown[] = [];
    for await (const { id, text: own, line } of tabLines(written(text))) lines.push([id, own, line]);
    return lines;
  };
  assert.deepEqual(await read('a\tb c\n\n1\t\n'), [
    ['a', 'b c', 1],
    ['1', '', 3],
  ]);
  const refused = (text: string, message: RegExp) =>
    assert.rejects(read(text), { code: 'DATA_INVALID', message });
  await refused('a\tb\na b\n', /line 2: no tab\./);
  await refused('\tb\n', /line 1: no id before the tab\./);
  await refused('a\tb\tc\n', /line 1: 3 columns\./);
  await refused('a\tb\t\n', /line 1: 3 columns\./);
  assert.deepEqual([...(await tabQueries(written('q\ttext\n')))], [['q', { queryId: 'q', text: 'text' }]]);
  await assert.rejects(tabQueries(written('\n')), { code: 'DATA_INVALID', message: /holds no queries/ });
});

test('a query that comes twice is refused with both places, of one file or two', () => {
  const list = new QueryList();
  const add = (queryId: string, file: string, where: string) =>
    list.add({ queryId, text: '' }, file, where, 'the query id');
  add('a', 'one', 'line 1');
  add('b', 'one', 'line 2');
  assert.deepEqual([...list.byId.keys()], ['a', 'b']);
  assert.throws(() => add('a', 'one', 'line 3'), {
    code: 'DATA_INVALID',
    message: "Two queries have the id 'a': one, line 1 and line 3.",
  });
  assert.throws(() => add('b', 'two', 'line 1'), {
    message: "Two queries have the id 'b': one, line 2 and two, line 1.",
  });
  assert.throws(() => add('x y', 'two', 'line 2'), { message: /^two, line 2: the query id "x y"/ });
  assert.throws(() => add('#x', 'two', 'line 2'), { code: 'DATA_INVALID' });
});

test('the first of several names is taken, each also packed, and folders are no files', async () => {
  const place = path.join(folder, 'found');
  mkdirSync(path.join(place, 'a'), { recursive: true });
  for (const name of ['b.gz', 'c', 'c.gz']) writeFileSync(path.join(place, name), '');
  const found = async (...names: string[]) => {
    const file = await findIn(place, names);
    return file && path.basename(file);
  };
  assert.deepEqual(
    [await found('a'), await found('b'), await found('c'), await found('d', 'b')],
    [undefined, 'b.gz', 'c', 'b.gz'],
  );
  assert.equal(path.basename(await needIn(place, ['a', 'c'], '')), 'c');
  await assert.rejects(needIn(place, ['a', 'd'], 'Look.'), {
    code: 'PATH_INVALID',
    message: `There is no a, no d in ${place} (nor with .gz).`,
    hint: 'Look.',
  });
  await assertFolder(place, '');
  await assert.rejects(assertFolder(path.join(place, 'c'), ''), {
    message: /is a file, and a folder is needed/,
  });
  await assert.rejects(assertFolder(path.join(place, 'z'), ''), { message: /There is no folder/ });
  const download = { name: 'c.gz' } as Download;
  const request = { fetch: async () => 'fetched' } as unknown as DatasetRequest;
  assert.equal(await fileOf(request, download), 'fetched');
  assert.equal(await fileOf({ ...request, folder: place }, download), path.join(place, 'c'));
  assert.equal(await fileOf({ ...request, folder: place }, { name: 'd' } as Download), undefined);
});

test('of each split the queries that are judged; what nothing can find counts in the test alone, and is told', () => {
  const queries = new Map(['a', 'b', 'c', 'd'].map((queryId) => [queryId, { queryId, text: '' }]));
  const qrels: Qrels = new Map([
    ['b', new Map([['p', 1]])],
    [
      'a',
      new Map([
        ['p', 0],
        ['gone', 2],
      ]),
    ],
    [
      'c',
      new Map([
        ['p', -1],
        ['q', 0],
      ]),
    ],
    ['nobody', new Map([['q', 1]])],
  ]);
  const files = { train: { qrels, queries }, dev: { qrels: undefined, queries }, test: { qrels, queries } };
  assert.deepEqual([...judgedPassages(files)], ['p', 'gone', 'q']);
  const { splits, remarks } = judgedSplits(files, new Set(['gone']));
  const ids = (split: 'train' | 'dev' | 'test') => [
    splits[split].queries.map(({ queryId }) => queryId),
    splits[split].qrels.map(({ queryId, passageId, relevance }) => `${queryId} ${passageId} ${relevance}`),
  ];
  assert.deepEqual(ids('train'), [['b'], ['b p 1']]);
  assert.deepEqual(ids('dev'), [[], []]);
  assert.deepEqual(ids('test'), [
    ['a', 'b', 'c'],
    ['b p 1', 'a p 0', 'a gone 2', 'c p -1', 'c q 0', 'nobody q 1'],
  ]);
  assert.deepEqual(remarks, [
    '1 train qrel names a passage that the collection does not have; it is left out.',
    '1 query of the train qrels has no text; it is left out.',
    '1 test qrel names a passage that the collection does not have; it counts as relevant and cannot be found.',
    '1 query of the test qrels has no text; it scores 0.',
    '1 test query has no relevant passage in the qrels and scores 0.',
  ]);
  const none = { qrels: undefined, queries };
  const unjudged = judgedSplits({ train: none, dev: none, test: none }, new Set());
  assert.equal(unjudged.splits.test.queries.length, 4);
  assert.equal(unjudged.remarks.length, 1);
  assert.match(unjudged.remarks[0]!, /^There are no qrels for the test queries/);
});
