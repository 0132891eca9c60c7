/** What is picked out of many: distractors by their hashed ids, winning vectors, and the hits of another program's run. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Dataset, Passage } from '../harness/contracts.js';
import { orderOf, placed, relevantIds, standingIn } from '../harness/pipeline/distractors/choose.js';
import { evaluateRun } from '../harness/pipeline/evaluate-run.js';
import { hasWinners, winnersOf } from '../harness/pipeline/winners.js';
import { silentProgress } from '../harness/progress.js';
import { passingFolder } from './places.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
const passage = (passageId: string, text = passageId): Passage => ({ passageId, title: '', text });
const key = (text: string) => Number.parseInt(hash('sha256', text, 'hex').slice(0, 12), 16);

test('distractors stand in the order of their hashed ids, any number of them the beginning of more', async () => {
  // More than are first made room for; one id comes twice.
  const source = Array.from({ length: 2500 }, (_, i) => passage(`s${i === 2000 ? 7 : i}`));
  let seen = 0;
  const standing = { relevant: new Set<string>(), texts: new Float64Array(0), passages: 0 };
  const order = await orderOf(stream(source), standing, false, () => seen++);
  assert.equal(seen, 2500);
  assert.deepEqual(order.leftOut, { relevantIds: 0, sameTexts: 0 });
  assert.deepEqual(
    [...order.keys],
    source.map(({ passageId }) => key(passageId)),
  );
  const sorted = source.toSorted((a, b) => key(a.passageId) - key(b.passageId));
  const twice = sorted.findIndex(({ passageId }) => passageId === 's7');
  for (const count of [0, 1, 2, twice + 1, twice + 2, 2499, 2500]) {
    const found: Passage[] = [];
    const order_: number[] = [];
    for await (const { place, passage: each } of placed(stream(source), order, count)) {
      assert.equal(found[place], undefined, `place ${place} twice`);
      found[place] = each;
      order_.push(source.indexOf(each));
    }
    assert.deepEqual(found, sorted.slice(0, count), `${count}`);
    assert.deepEqual(
      order_,
      order_.toSorted((a, b) => a - b),
      'as they stand in the source',
    );
  }
});

test('what the queries need, and what has a text of the base, is no distractor; blanks and cases make no other text', async () => {
  const base = [passage('a', 'The  Cat\tsat '), passage('b', ''), passage('c', 'ﬁne'), passage('d', 'x y')];
  const relevant = new Set(['r', 'c']);
  let seen = 0;
  const whole = await standingIn(stream(base), relevant, false, () => seen++);
  assert.deepEqual([whole.passages, seen], [4, 4]);
  // An empty text is no text that another can be the same as.
  assert.deepEqual(
    [...whole.texts],
    ['the cat sat', 'fine', 'x y'].map(key).toSorted((x, y) => x - y),
  );
  const needed = await standingIn(stream(base), relevant, true, () => undefined);
  assert.deepEqual([needed.passages, [...needed.texts]], [1, [key('fine')]]);

  const source = [
    passage('r', 'of its own'),
    ...['the cat SAT', 'the cat sat', 'the cat sat down', '', 'fine', 'x\u00a0y', 'xy'].map((text, i) =>
      passage(`s${i}`, text),
    ),
  ];
  const order = await orderOf(stream(source), whole, false, () => undefined);
  assert.deepEqual(order.leftOut, { relevantIds: 1, sameTexts: 4 });
  const kept = source.filter((_, i) => order.keys[i] !== Number.POSITIVE_INFINITY);
  assert.deepEqual(
    kept.map(({ text }) => text),
    ['the cat sat down', '', 'xy'],
  );
  assert.deepEqual(
    [...order.sorted],
    kept.map(({ passageId }) => key(passageId)).toSorted((x, y) => x - y),
  );
  // What the queries of its own collection need stands there already.
  assert.equal((await orderOf(stream(source), whole, true, () => undefined)).leftOut.relevantIds, 0);
});

test('a relevance of 1 or more is needed, each passage once', async () => {
  const qrels = [1, 0, 2, 1].map((relevance, i) => ({ queryId: `q${i}`, passageId: `p${i % 3}`, relevance }));
  const found = await relevantIds({ qrels: async () => qrels } as unknown as Dataset);
  assert.deepEqual([...found].toSorted(), ['p0', 'p2']);
});

const architecture = (vectors: number | 'varies', more: object = {}) =>
  ({ pooling: undefined, resolved: { vectors }, family: {}, ...more }) as never;
const ids = ['p0', 'q1', 'p2', 'p3'];
const index = { identifiers: async () => ({ at: (ordinal: number) => ids[ordinal]! }) } as never;
const dataset = {
  queries: async () => ['q0', 'q1', 'q2'].map((queryId) => ({ queryId, text: '' })),
  qrels: async () => [
    { queryId: 'q0', passageId: 'p2', relevance: 1 },
    { queryId: 'q0', passageId: 'p3', relevance: 2 },
    { queryId: 'q1', passageId: 'p3', relevance: 1 },
  ],
} as unknown as Dataset;
// Two hits of three places for q0, three for q1, none for q2.
const hits = {
  depth: 3,
  ordinals: Int32Array.of(0, 2, 0, 1, 2, 3, 0, 0, 0),
  winners: Int32Array.of(1, 0, 5, 2, 0, 1, 5, 5, 5),
  counts: Int32Array.of(2, 3, 0),
  scores: new Float32Array(9),
};
const asked = { dataset, split: 'test' as const, index, hits, identicalIds: 'kept' as const };

test('which vector won is counted over all hits, and told of the first, the first relevant and the first that answers', async () => {
  const kept = (await winnersOf({ ...asked, architecture: architecture(4) }))!;
  assert.deepEqual(kept.histogram, [2, 2, 1, 0]);
  assert.deepEqual(
    [kept.topHit, kept.gold],
    [
      [1, 2, null],
      [0, 1, null],
    ],
  );
  assert.deepEqual(kept.vectors, ['vector 1', 'vector 2', 'vector 3', 'vector 4']);
  assert.equal('answer' in kept || 'dev' in kept, false);
  const answerFlags = new Map([
    ['q0', Uint8Array.of(0, 1)],
    ['q1', Uint8Array.of(0, 1, 1)],
  ]);
  const answered = await winnersOf({ ...asked, answerFlags, architecture: architecture(4) });
  assert.deepEqual(answered!.answer, [0, 0, null]);
  // Without the passage that is the query, and where relevance counts from 2.
  const strict = { ...dataset, relevantFrom: 2 };
  const dropped = await winnersOf({
    ...{ ...asked, dataset: strict, identicalIds: 'dropped', architecture: architecture('varies') },
    dev: { qrels: [7, 8], answers: [9, 1, 1, 2] },
  });
  assert.deepEqual(dropped!.histogram, [2, 2, 0, 0]);
  assert.deepEqual(
    [dropped!.topHit, dropped!.gold],
    [
      [1, 0, null],
      [null, null, null],
    ],
  );
  assert.deepEqual(dropped!.dev, { qrels: [7, 8, 0, 0], answers: [9, 1, 1, 2] });
  const bare = await winnersOf({ ...asked, architecture: architecture('varies'), dev: { qrels: [1] } });
  assert.deepEqual([bare!.histogram, bare!.dev], [[2, 2, 1], { qrels: [1, 0, 0] }]);
  const named = architecture(3, { family: { vectorName: (row: number) => `layer ${row}` } });
  assert.deepEqual((await winnersOf({ ...asked, architecture: named }))!.vectors, [
    'layer 0',
    'layer 1',
    'layer 2',
  ]);
});

test('one vector per passage, or one that several were pooled to, wins nothing', async () => {
  const cases = [architecture(1), architecture(2, { pooling: {} }), architecture(2), architecture('varies')];
  assert.deepEqual(cases.map(hasWinners), [false, false, true, true]);
  assert.equal(await winnersOf({ ...asked, architecture: cases[0]! }), undefined);
});

test("another program's run: best score first, equal ones as BEIR evaluates, strangers and unknown passages counted", async () => {
  const root = passingFolder('evaluated');
  await writeTinyCollection(path.join(root, 'data'));
  const request = tinyRequest(root, 'bm25', 1, 'measures=["mrr","recall@2"]');
  const file = path.join(root, 'other.run');
  const evaluated = async (...lines: string[]) => {
    await writeFile(file, lines.map((line) => `${line} other\n`).join(''));
    return evaluateRun({ ...request, run: file, split: 'test' }, silentProgress());
  };
  // p0 is what q0 needs, p1 what q1 needs.
  const { record, measured } = await evaluated(
    ...['q0 Q0 p9 1 1', 'q0 Q0 p0 2 3', 'q0 Q0 p8 3 2'],
    ...['q1 Q0 p7 1 5', 'q1 Q0 p1 2 5', 'q1 Q0 p6 3 5'],
    ...['q9 Q0 p1 1 1', 'q2 Q0 none 1 2', 'q2 Q0 none-either 2 1'],
  );
  assert.deepEqual(record.measures.mrr!.perQuery.slice(0, 4), [1, 1 / 3, 0, 0]);
  assert.deepEqual([record.arch.name, record.queryIds.length, record.seed], ['other', 8, null]);
  assert.equal(measured.evaluation.withoutHits, 5);
  const said = record.warnings.join('\n');
  assert.match(said, /^run file other\.run, sha256 [0-9a-f]{64}/);
  assert.match(said, /1 query of the run is not a test query and is left out/);
  assert.match(said, /2 passages of the run are not in .*; they hold no answer/);
  const whole = await evaluated('q0 Q0 p0 1 3', 'q1 Q0 p1 1 3');
  assert.doesNotMatch(whole.record.warnings.join('\n'), /left out|not in/);
  // What is said to be of another format is not taken for what it looks like.
  const asDpr = evaluateRun({ ...request, run: file, format: 'dpr', split: 'test' }, silentProgress());
  await assert.rejects(asDpr, { code: 'RECORD_INVALID' });
  await assert.rejects(evaluated('q9 Q0 p1 1 1'), {
    code: 'DATA_INVALID',
    message: /none of the 8 test queries/,
  });
});
