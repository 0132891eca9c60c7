/** Which hits hold an answer: of a run by passage id and of hits by ordinal the same, in one reading that ends early. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Passage, Run } from '../harness/contracts.js';
import { answersInHits, answersInRun } from '../harness/pipeline/answer-hits.js';
import { runOf } from '../harness/pipeline/run-of-hits.js';

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
const index = { identifiers: async () => ({ at: (ordinal: number) => passages[ordinal]!.passageId }) };

function datasetRead(read: string[]): Dataset {
  async function* all() {
    for (const passage of passages) {
      read.push(passage.passageId);
      yield passage;
    }
  }
  return { answerMatching: 'string', passages: all } as unknown as Dataset;
}

const listed = (flags: ReadonlyMap<string, Uint8Array>) =>
  Object.fromEntries([...flags].map(([queryId, own]) => [queryId, [...own]]));

test('a run and the hits it was made of hold the same answers, and reading ends at the last hit', async () => {
  const run = await runOf(queries, index, hits);
  assert.deepEqual(run.get('q1'), { passageIds: ['p0', 'p1'], scores: Float32Array.of(3, 2) });
  assert.deepEqual(run.get('q3'), { passageIds: [], scores: new Float32Array(0) });
  const [readOfRun, readOfHits]: string[][] = [[], []];
  const ofRun = await answersInRun(datasetRead(readOfRun!), queries, run);
  assert.deepEqual(listed(ofRun.flags), { q0: [0, 1, 1], q1: [1, 1], q2: [0], q3: [] });
  const ofHits = await answersInHits(datasetRead(readOfHits!), queries, hits);
  assert.deepEqual([...ofHits.flags], [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]);
  assert.deepEqual([ofRun.matchingAll, ofRun.unusable], [ofHits.matchingAll, ofHits.unusable]);
  // Each may have begun with the passage after its last hit, and with no more.
  for (const read of [readOfRun!, readOfHits!])
    assert.ok(!read.includes('p4') || read.indexOf('p4') === read.length - 1, read.join(' '));
});

test('a hit that the collection does not have holds no answer; a passage is a hit of any number of queries', async () => {
  const run: Run = new Map([
    ['q0', { passageIds: ['p9', 'p4', 'p0'] }],
    ['q1', { passageIds: ['p0'] }],
  ]);
  const read: string[] = [];
  const { flags } = await answersInRun(datasetRead(read), queries, run);
  assert.deepEqual(listed(flags), { q0: [0, 1, 1], q1: [1], q2: [], q3: [] });
  assert.deepEqual(read, ['p0', 'p1', 'p2', 'p3', 'p4']);
});
