/** Postings in segments: put together they are the lists of all, wherever a segment or a read of it ends. */
import assert from 'node:assert/strict';
import { readdir, readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { joinSegments, PostingBlock } from '../harness/index/bm25-segments.js';
import { stream } from '../harness/random.js';
import { temporaryFolder } from './made-index.js';
import { assertClosed } from './open-files.js';

type Posting = readonly [term: number, passage: number, occurrences: number];

/** Writes postings in segments of so many, the last of which may be without any. */
async function segmentsOf(folder: string, postings: readonly Posting[], size: number, terms: number) {
  const last = new Uint32Array(terms);
  const segments: string[] = [];
  const block = new PostingBlock(size);
  assert.equal(block.isEmpty, true);
  const write = async () => {
    const file = path.join(folder, `segment-${segments.length}`);
    await block.write(file, terms, last);
    assert.equal(block.isEmpty, true);
    segments.push(file);
  };
  for (const posting of postings) {
    block.add(...posting);
    if (block.isFull) await write();
  }
  await write();
  return segments;
}

/** The lists of all terms in the plainest way: the distance doubled, plus 1 for one occurrence, else their number behind it. */
function listsOf(postings: readonly Posting[], terms: number): number[][] {
  const lists = Array.from({ length: terms }, (): number[] => []);
  const last = new Array<number>(terms).fill(-1);
  for (const [term, passage, occurrences] of postings) {
    const distance = passage - last[term]!;
    last[term] = passage;
    lists[term]!.push(...bytesOf(2 * distance + (occurrences === 1 ? 1 : 0)));
    if (occurrences !== 1) lists[term]!.push(...bytesOf(occurrences));
  }
  return lists;
}

const bytesOf = (value: number): number[] =>
  value < 128 ? [value] : [128 + (value % 128), ...bytesOf(Math.floor(value / 128))];

test('segments of any size give the lists of all postings, and terms without any an empty one', async (t) => {
  const random = stream(7, 'segments');
  const terms = 40;
  // Terms 0 and 39 and some between are in no passage.
  const postings = Array.from({ length: 60 }, (_, passage) =>
    Array.from({ length: 38 }, (_, i) => i + 1)
      .filter((term) => term % 7 !== 0 && random.integer(3) === 0)
      .map((term): Posting => [term, 200 * passage, random.integer(4) === 0 ? 1 : 2 + random.integer(300)]),
  ).flat();
  const expected = listsOf(postings, terms);
  for (const size of [1, 7, postings.length, postings.length + 1]) {
    const folder = await temporaryFolder(t);
    const segments = await segmentsOf(folder, postings, size, terms);
    const offsets = await joinSegments(segments, path.join(folder, 'joined'), terms);
    const joined = await readFile(path.join(folder, 'joined'));
    assert.equal(offsets.length, terms + 1);
    assert.equal(offsets[terms], joined.length);
    for (const [term, list] of expected.entries())
      assert.deepEqual(
        [...joined.subarray(offsets[term], offsets[term + 1])],
        list,
        `term ${term} of ${size}`,
      );
    assert.deepEqual(await readdir(folder), ['joined']);
    await assertClosed(folder);
  }
});

test('lists longer than what is read or written at once, and that begin anywhere in it', async (t) => {
  const folder = await temporaryFolder(t);
  // Term 0 takes a byte a posting, and each later one three: 5 MB, with ends of reads and writes in lists and between.
  const long = Array.from({ length: 1_300_000 }, (_, passage): Posting => [0, passage, 1]);
  const short = Array.from({ length: 1_300_000 }, (_, i): Posting => [1 + (i % 900), 1_300_000 + i, 1]);
  const postings = [...long, ...short];
  const segments = await segmentsOf(folder, postings, postings.length, 901);
  const offsets = await joinSegments(segments, path.join(folder, 'joined'), 901);
  const joined = await readFile(path.join(folder, 'joined'));
  const expected = listsOf(postings, 901);
  assert.deepEqual(Array.from(offsets), [
    0,
    ...expected.map(
      (
        (sum) => (list) =>
          (sum += list.length)
      )(0),
    ),
  ]);
  assert.ok(joined.equals(Buffer.from(expected.flat())));
});

test('a segment that ends in the middle of a list is named, wherever it ends', async (t) => {
  const postings: Posting[] = [
    [0, 3, 1],
    [2, 300, 5],
    [2, 301, 1],
  ];
  // Term, length, list: 0 1 [9], and 2 5 [218 4 5 3], of which the ends of lists alone are ends.
  for (const [length, isEnd] of [
    [0, true],
    [1, false],
    [2, false],
    [3, true],
    [4, false],
    [5, false],
    [6, false],
    [8, false],
    [9, true],
  ] as const) {
    const folder = await temporaryFolder(t);
    const [segment] = await segmentsOf(folder, postings, 3, 3);
    await truncate(segment!, length);
    const joined = joinSegments([segment!], path.join(folder, 'joined'), 3);
    if (isEnd) await joined;
    else
      await assert.rejects(joined, {
        code: 'CACHE_INVALID',
        message: `${segment} ends in the middle of a list.`,
      });
    assert.deepEqual(await readdir(folder), [isEnd ? 'joined' : 'segment-0', 'segment-1']);
    await assertClosed(folder);
  }
});
