/** A search that goes on where an earlier one was killed, part by part, and only with parts that are its own. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { HitParts, type PartsMade, readHits } from '../harness/pipeline/hit-files.js';
import { inParts, partQueriesOf, searchQueries } from '../harness/pipeline/query-search.js';
import { runOf } from '../harness/pipeline/run-of-hits.js';
import type { OpenSearch } from '../harness/pipeline/searching.js';
import { silentProgress } from '../harness/progress.js';
import type { PassageHits } from '../harness/search/search.js';
import { removeUnfinished } from '../harness/store/unfinished.js';
import { temporaryFolder } from './made-index.js';

const depth = 3;
const queries = Array.from({ length: 10 }, (_, i) => ({ queryId: `q${i}`, text: String(i) }));
const made: PartsMade = {
  key: 'run',
  batchSize: 2,
  partQueries: 4,
  conditions: { cpu: 'this one', threads: 1 },
};

/** Hits that tell which query they are of. */
function hitsOf(texts: readonly string[]): PassageHits {
  const numbers = texts.flatMap((text) => [0, 1, 2].map((i) => 10 * Number(text) + i));
  return {
    depth,
    ordinals: Int32Array.from(numbers),
    scores: Float32Array.from(numbers, (number) => -number / 3),
    winners: Int32Array.from(numbers, (number) => number % 7),
    counts: Int32Array.from(texts, (text) => 1 + (Number(text) % depth)),
  };
}

/** Searches as far as it may. @returns the numbers of the queries that were searched */
async function search(parts: HitParts, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const searched: string[] = [];
  await inParts(queries, parts, async (part) => {
    if (searched.length >= most) throw new Error('killed');
    const texts = part.map(({ text }) => text);
    searched.push(...texts);
    const batches = [texts.slice(0, 2), texts.slice(2)].filter(({ length }) => length > 0);
    return { hits: batches.map(hitsOf), seconds: 0.5 };
  }).catch((error: Error) => assert.equal(error.message, 'killed'));
  return searched;
}

/** A folder in which eight of ten queries were searched. */
async function begun(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  assert.equal((await search(await HitParts.open(folder, made), 8)).length, 8);
  assert.deepEqual((await readdir(path.join(folder, 'unfinished', 'parts'))).sort(), [
    '00000.hits',
    '00001.hits',
  ]);
  return folder;
}

test('only the queries that lack hits are searched, and the hits are those of one search', async (t) => {
  const folder = await begun(t);
  const parts = await HitParts.open(folder, made);
  assert.deepEqual([parts.queries, parts.seconds], [8, 1]);
  assert.deepEqual(await search(parts), ['8', '9']);
  await parts.join();
  assert.deepEqual([parts.queries, parts.seconds, parts.depth], [10, 1.5, depth]);
  await removeUnfinished(folder);
  assert.deepEqual((await readdir(folder)).sort(), [
    'counts.i32',
    'ordinals.i32',
    'scores.f32',
    'winners.i32',
  ]);
  const hits = await readHits({ folder, key: 'run', facts: { depth }, cached: false });
  assert.deepEqual(hits, hitsOf(queries.map(({ text }) => text)));
});

for (const [what, other] of [
  ['another run', { key: 'another' }],
  ['other batches', { batchSize: 4 }],
  ['parts of another size', { partQueries: 8 }],
  ['another processor', { conditions: { cpu: 'another', threads: 1 } }],
] as const)
  test(`parts of ${what} are not taken and are removed`, async (t) => {
    const folder = await begun(t);
    const parts = await HitParts.open(folder, { ...made, ...other });
    assert.equal(parts.queries, 0);
    assert.deepEqual(await readdir(path.join(folder, 'unfinished', 'parts')), []);
  });

test('a part that is not whole is not taken, nor any after it', async (t) => {
  const folder = await begun(t);
  const first = path.join(folder, 'unfinished', 'parts', '00000.hits');
  await truncate(first, (await stat(first)).size - 4);
  assert.equal((await HitParts.open(folder, made)).queries, 0);
  assert.deepEqual(await readdir(path.join(folder, 'unfinished', 'parts')), []);
  await search(await HitParts.open(folder, made));
  await truncate(path.join(folder, 'unfinished', 'parts', '00001.hits'), 5);
  assert.equal((await HitParts.open(folder, made)).queries, 4);
});

test('a part with a flipped bit, in its first line or its arrays, is told of and not taken', async (t) => {
  const folder = await begun(t);
  const file = path.join(folder, 'unfinished', 'parts', '00001.hits');
  const bytes = await readFile(file);
  const seconds = bytes.indexOf('"seconds":') + '"seconds":'.length;
  for (const at of [seconds, bytes.indexOf('\n') + 6, bytes.length - 1, 2]) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    await writeFile(file, changed);
    const notes: string[] = [];
    assert.equal((await HitParts.open(folder, made, (line) => notes.push(line))).queries, 4);
    assert.deepEqual(notes, [`${file} is damaged: the hits from there on are searched for again.`]);
    await writeFile(file, bytes);
  }
  assert.equal((await HitParts.open(folder, made, assert.fail)).queries, 8);
});

test('hits whose files do not fit together are refused', async (t) => {
  const folder = await temporaryFolder(t);
  const parts = await HitParts.open(folder, made);
  await search(parts);
  await parts.join();
  const read = () => readHits({ folder, key: 'run', facts: { depth }, cached: false });
  await read();
  for (const [name, change] of [
    ['ordinals.i32', (file: string) => truncate(file, 60)],
    ['scores.f32', (file: string) => rm(file)],
    ['counts.i32', (file: string) => writeFile(file, Int32Array.from([-5, 0, 0, 0, 0, 0, 0, 0, 0, 0]))],
    ['counts.i32', (file: string) => truncate(file, 39)],
  ] as const) {
    const file = path.join(folder, name);
    const bytes = await readFile(file);
    await change(file);
    await assert.rejects(read(), { code: 'CACHE_INVALID', message: new RegExp(name) });
    await writeFile(file, bytes);
  }
});

test('what is no list of hits is not kept: the query is named, and what is wrong', async (t) => {
  const folder = await temporaryFolder(t);
  const faults: [change: (hits: PassageHits) => void, message: RegExp][] = [
    [({ ordinals }) => ordinals.set([52, 51, 52], 3), /query 6 .*passage 52 is in it twice/],
    [({ ordinals }) => ordinals.set([-1], 3), /query 6 .*a passage has the place -1/],
    [({ scores }) => scores.set([Number.NaN], 3), /query 6 .*the score of hit 1 is no number/],
    [({ scores }) => scores.set([1, 2, 3], 3), /query 6 .*hit 2 scores 2, more than hit 1 with 1/],
    [({ counts }) => counts.set([4], 1), /query 6 .*4 hits in a list of 3/],
  ];
  for (const [change, message] of faults) {
    const parts = await HitParts.open(folder, made);
    const hits = hitsOf(['4', '5']);
    hits.counts.fill(depth);
    change(hits);
    const four = ['0', '1', '2', '3'].map((text) => hitsOf([text]));
    await assert.rejects(parts.add([...four, hits], 0), { code: 'PLUGIN_FAILED', message });
    assert.equal(parts.queries, 0);
  }
  // Behind the end of a list may stand anything.
  const short = hitsOf(['1', '2']);
  short.counts.fill(1);
  short.ordinals.fill(7);
  await (await HitParts.open(folder, made)).add([short], 0);
});

test('a hit that is no passage of the index is told with its query', async () => {
  const ids = ['a', 'b', 'c'];
  const index = { identifiers: async () => ({ at: (ordinal: number) => ids[ordinal]! }) };
  const hits = hitsOf(['0', '1']);
  hits.counts.fill(depth);
  await assert.rejects(runOf(queries.slice(0, 2), index, hits), {
    code: 'PLUGIN_FAILED',
    message: 'The hits of query 2 hold passage 10, which the index does not have.',
  });
});

test('without queries there are files without hits', async (t) => {
  const folder = await temporaryFolder(t);
  const parts = await HitParts.open(folder, made);
  await parts.join();
  assert.equal(parts.depth, 0);
  assert.equal((await readFile(path.join(folder, 'ordinals.i32'))).length, 0);
});

test('an index on the disk is read once for each part, and not for what was found before', async (t) => {
  const partQueries = partQueriesOf(false, 1000);
  assert.equal(partQueries, 5000);
  assert.equal(partQueriesOf(true, 1000), 8000);
  const many = Array.from({ length: 12_000 }, (_, i) => ({ queryId: `q${i}`, text: String(i) }));
  const readings: number[] = [];
  const searching = {
    index: { dimensions: 1, vectors: 1 },
    searcher: {
      resident: false,
      async search(vectors: Float32Array, count: number) {
        readings.push(count);
        return hitsOf(Array.from(vectors.subarray(0, count), String));
      },
    },
  } as unknown as OpenSearch;
  const vectors = {
    read: async (first: number, count: number) => Float32Array.from({ length: count }, (_, i) => first + i),
  };
  const folder = await temporaryFolder(t);
  const asked = { batchSize: 1000, depth };
  const opened = () => HitParts.open(folder, { ...made, batchSize: 1000, partQueries });
  await searchQueries(searching, many.slice(0, 5000), vectors, asked, await opened(), silentProgress());
  const parts = await opened();
  await searchQueries(searching, many, vectors, asked, parts, silentProgress());
  assert.deepEqual(readings, [5000, 5000, 2000]);
  await parts.join();
  const hits = await readHits({ folder, key: 'run', facts: { depth }, cached: false });
  assert.deepEqual(hits, hitsOf(many.map(({ text }) => text)));
});
