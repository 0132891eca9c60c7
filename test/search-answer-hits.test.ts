/** Which hits hold an answer: of a run by passage id and of hits by ordinal the same, in one reading that ends early. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Passage, Run } from '../harness/contracts.js';
import { readPassages } from '../harness/dataset/reading.js';
import { runOf } from '../harness/pipeline/run-of-hits.js';
import { AnswersOfHits, AnswersOfRun } from '../harness/search/answer-hits.js';
import { CopiesOfPositives } from '../harness/search/copied-positives.js';

const texts = ['a red fox', 'a blue whale', 'red and blue', 'nothing', 'the last one is red'];
const passages = texts.map((text, i): Passage => ({ passageId: `p${i}`, title: 'red blue', text }));
const queries = [
  { queryId: 'q0', text: '?', answers: ['red'] },
  { queryId: 'q1', text: '?', answers: ['blue', 'fox'] },
  { queryId: 'q2', text: '?', answers: ['whale'] },
  { queryId: 'q3', text: '?', answers: [] },
];
const hits = {
  depth: 3,
  ordinals: Int32Array.of(3, 0, 2, 0, 1, -1, 2, -1, -1, -1, -1, -1),
  scores: Float32Array.of(3, 2, 1, 3, 2, 0, 3, 0, 0, 0, 0, 0),
  winners: new Int32Array(12),
  counts: Int32Array.of(3, 2, 1, 0),
};
const identifiers = { at: (ordinal: number) => passages[ordinal]!.passageId };
const index = { identifiers: async () => identifiers };

function datasetRead(read: string[]): Dataset {
  async function* all() {
    for (const passage of passages) {
      read.push(passage.passageId);
      yield passage;
    }
  }
  return { passageCount: texts.length, passages: all } as unknown as Dataset;
}

const listed = (flags: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...flags].map(([queryId, own]) => [queryId, [...own]]));

test('a run and the hits it was made of hold the same answers, and reading ends at the last hit', async () => {
  const run = await runOf(queries, index, hits);
  assert.deepEqual(run.get('q1'), {
    passageIds: ['p0', 'p1'],
    scores: Float32Array.of(3, 2),
    ordinals: Int32Array.of(0, 1),
  });
  assert.deepEqual(run.get('q3'), {
    passageIds: [],
    scores: new Float32Array(0),
    ordinals: new Int32Array(0),
  });
  const [readOfRun, readOfHits]: string[][] = [[], []];
  const ofRun = new AnswersOfRun('string', queries, run);
  await readPassages(datasetRead(readOfRun!), [ofRun]);
  assert.deepEqual(listed(ofRun.flags), { q0: [0, 1, 1], q1: [1, 1], q2: [0], q3: [] });
  const ofHits = new AnswersOfHits('string', queries, hits);
  await readPassages(datasetRead(readOfHits!), [ofHits]);
  assert.deepEqual([...ofHits.flags], [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([ofRun.matchingAll, ofRun.unusable], [ofHits.matchingAll, ofHits.unusable]);
  for (const read of [readOfRun!, readOfHits!]) assert.deepEqual(read, ['p0', 'p1', 'p2', 'p3']);
});

test('of a collection that can be read at its places only the hits are read, and they have to be those of the index', async () => {
  const run = await runOf(queries, index, hits);
  const read: number[] = [];
  const placed = (of: readonly Passage[]): Dataset => ({
    ...datasetRead([]),
    passages: () => ({
      // biome-ignore lint/correctness/useYield: nothing is read in order here
      async *[Symbol.asyncIterator]() {
        throw new Error('all is read');
      },
      async *at(ordinals) {
        for (const ordinal of ordinals) {
          read.push(ordinal);
          yield of[ordinal]!;
        }
      },
    }),
  });
  const answers = new AnswersOfRun('string', queries, run);
  await readPassages(placed(passages), [answers]);
  assert.deepEqual(listed(answers.flags), { q0: [0, 1, 1], q1: [1, 1], q2: [0], q3: [] });
  assert.deepEqual(read, [0, 1, 2, 3]);
  assert.equal(answers.unread, 0);
  const others = passages.toReversed();
  await assert.rejects(readPassages(placed(others), [new AnswersOfRun('string', queries, run)]), {
    code: 'DATA_INVALID',
    message: 'Other passages stand where those of the hits stood.',
  });
  // Ids alone, of one query: everything is read, for the others too.
  const unplaced: Run = new Map([...run, ['q1', { passageIds: ['p0', 'p1'] }]]);
  const known = new AnswersOfHits('string', queries, hits);
  for (const others of [[], [known]]) {
    const readers = [...others, new AnswersOfRun('string', queries, unplaced)];
    await assert.rejects(readPassages(placed(passages), readers), /all is read/);
  }
});

test('several that look at texts read at its place what any of them wants, once, and find what a whole reading finds', async () => {
  const placesRead: number[] = [];
  const positives = [['p3', 'p9'], undefined, ['p1', 'p0']];
  const ordinals = Int32Array.of(1, -1, 4, 0, 1, -1);
  const found = [];
  for (const at of [undefined, passages, passages.with(3, passages[2]!)]) {
    const dataset = datasetRead([]);
    const { passages: all } = dataset;
    dataset.passages = () => ({
      [Symbol.asyncIterator]: () => all()[Symbol.asyncIterator](),
      ...(at && {
        async *at(wanted: Iterable<number>) {
          for (const ordinal of wanted) {
            placesRead.push(ordinal);
            yield at[ordinal]!;
          }
        },
      }),
    });
    const copies = new CopiesOfPositives(dataset, positives, ordinals, identifiers);
    const answers = new AnswersOfHits('string', queries, { depth: 2, ordinals });
    const reading = readPassages(dataset, [copies, answers]);
    if (found.length === 2) await assert.rejects(reading, { code: 'DATA_INVALID' });
    else await reading;
    found.push({
      flags: [...answers.flags],
      copies: [0, 2, 3, 4].map((place) => copies.has(Math.floor(place / 2), ordinals[place]!)),
    });
  }
  assert.deepEqual(found[1], found[0]);
  assert.deepEqual(found[0]!.flags, [0, 0, 0, 1, 1, 0]);
  assert.deepEqual(found[0]!.copies, [false, false, false, true]);
  // p9 is nowhere, and nobody waits for it; p2 is nobody's.
  assert.deepEqual(placesRead, [0, 1, 3, 4, 0, 1, 3, 4]);
});

test('a hit that the collection does not have holds no answer; a passage is a hit of any number of queries', async () => {
  const run: Run = new Map([
    ['q0', { passageIds: ['p9', 'p4', 'p0'] }],
    ['q1', { passageIds: ['p0'] }],
  ]);
  const read: string[] = [];
  const answers = new AnswersOfRun('string', queries, run);
  await readPassages(datasetRead(read), [answers]);
  assert.deepEqual(listed(answers.flags), { q0: [0, 1, 1], q1: [1], q2: [], q3: [] });
  assert.equal(answers.unread, 1);
  assert.deepEqual(read, ['p0', 'p1', 'p2', 'p3', 'p4']);
});

test('all that look at texts share one reading, each as far as it wants; nobody wants anything: none', async () => {
  const read: string[] = [];
  const dataset = datasetRead(read);
  const positives = [['p3'], undefined, ['p9', 'p0']];
  const copies = new CopiesOfPositives(dataset, positives, Int32Array.of(1, -1, 0), identifiers);
  const answers = new AnswersOfHits('string', queries, { depth: 1, ordinals: Int32Array.of(0, 0, 1, -1) });
  await readPassages(dataset, [copies, answers]);
  assert.deepEqual([...answers.flags], [1, 1, 1, 0]);
  // A positive that is nowhere is sought to the end.
  assert.deepEqual(read, ['p0', 'p1', 'p2', 'p3', 'p4']);
  assert.equal(answers.isDone && !copies.isDone, true);
  assert.deepEqual(
    [copies.has(0, 1), copies.has(1, 0), copies.has(2, 0), copies.has(2, 1)],
    [...[false, false, true, false]],
  );
  const nothing = new CopiesOfPositives(dataset, [undefined, []], Int32Array.of(1, 2), identifiers);
  await readPassages(dataset, [nothing, new AnswersOfRun('string', queries, new Map())]);
  assert.equal(read.length, 5);
});
