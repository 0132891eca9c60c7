/** Passages that are no distractors, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestsOf } from '../harness/cli/sweep-request.js';
import type { Passage } from '../harness/contracts.js';
import { datasetIdentity } from '../harness/dataset/identity.js';
import { BenchError } from '../harness/errors.js';
import { readPassageFile, writePlaced } from '../harness/pipeline/distractors/passage-file.js';
import { withDistractors } from '../harness/pipeline/distractors.js';
import { openDataset } from '../harness/pipeline/open-dataset.js';
import { planRun } from '../harness/pipeline/plan.js';
import { silentProgress } from '../harness/progress.js';
import { Store } from '../harness/store/store.js';
import { byHand, drawn, grown, inRoot, opened, ran, request } from './made-distractors.js';

test('passages that are no distractors are left out, counted and told', async () => {
  const record = await ran('bm25', { distractors: grown(58, 58) });
  assert.deepEqual(record.dataset.distractors!.leftOut, { relevantIds: 1, sameTexts: 2 });
  assert.equal(record.dataset.distractors!.basePassages, 44);
  assert.ok(
    record.warnings.some((line) => /^58 passages of beir:other stand behind the 44 of squad/.test(line)),
  );
  assert.ok(record.warnings.some((line) => /1 passage with the id .* 2 with the text/.test(line)));
  // The other birds:0 is there, under a name of its own.
  const dataset = await opened(grown(58, 58));
  const ids: string[] = [];
  for await (const { passageId } of dataset.passages()) ids.push(passageId);
  assert.equal(new Set(ids).size, 102);
  assert.ok(ids.includes('birds:0') && ids.includes('beir:other/birds:0'));
  assert.ok(!ids.some((id) => /towns:0$|copy$|of-birds$/.test(id.replace(/^towns:0$/, ''))));
});

test('a smaller number is the beginning of a larger one, whichever was the largest asked for', async () => {
  const added = async (count: number, largest: number) => {
    const ids: string[] = [];
    for await (const { passageId } of (await opened(grown(count, largest))).passages()) ids.push(passageId);
    return ids.slice(44);
  };
  const all = await added(58, 58);
  assert.equal(all.length, 58);
  for (const [count, largest] of [
    [10, 58],
    [10, 10],
    [0, 10],
    [44, 44],
  ] as const)
    assert.deepEqual(await added(count, largest), all.slice(0, count));
  // Not the order of their files.
  assert.notDeepEqual(all, all.toSorted());
});

test('what is chosen for one dataset is not taken for what is chosen for another', async () => {
  const here = await opened(grown(44, 44));
  const there = await opened(grown(44, 44), await byHand(1));
  const [one, other] = [here, there].map(({ grown: of }) => datasetIdentity(of!.distractors));
  assert.notDeepEqual(one, other);
  assert.notDeepEqual(datasetIdentity(here), datasetIdentity(there));
  // The same with other sizes behind it, whose distractors are encoded with them.
  const smaller = await opened(grown(10, 10));
  const larger = await opened(grown(10, 44));
  assert.deepEqual(datasetIdentity(smaller), datasetIdentity(larger));
  assert.notDeepEqual(
    datasetIdentity(smaller.grown!.distractors),
    datasetIdentity(larger.grown!.distractors),
  );
});

test('a dataset that does not say what its queries need cannot take its own passages', async () => {
  const squad = await openDataset(request('bm25'), new Store(inRoot('cache')), silentProgress());
  const asked = { count: 1, largest: 1 };
  for (const [qrels, message] of [
    [[], /squad has no qrels for its test queries/],
    [[{ queryId: 'q', passageId: 'elsewhere', relevance: 1 }], /squad has none of the passages/],
  ] as const) {
    const without = { ...squad, version: `${qrels.length}`, qrels: async () => qrels };
    await assert.rejects(
      withDistractors(without, undefined, asked, new Store(inRoot('cache')), silentProgress()),
      (error: BenchError) => error.code === 'DATA_INVALID' && message.test(error.message),
    );
  }
});

const refused: [what: string, asked: () => Promise<unknown>, code: string, message: RegExp][] = [
  [
    'more than the collection has',
    () => ran('bm25', { distractors: grown(62, 62) }),
    'DATA_INVALID',
    /62 distractors are asked for, and beir:other has 61 passages/,
  ],
  [
    'more than are left',
    () => ran('bm25', { distractors: grown(10, 59) }),
    'DATA_INVALID',
    /59 distractors are asked for, and beir:other has 58 passages that could be/,
  ],
  [
    'the dataset itself',
    () =>
      ran('bm25', {
        distractors: { count: 1, largest: 1, from: { dataset: 'squad', data: inRoot('squad') } },
      }),
    'USAGE',
    /would be its own passages/,
  ],
  [
    'vectors of its own passages alone',
    () => planRun({ ...request('vectors:somewhere'), distractors: grown(1, 1) }),
    'USAGE',
    /vectors:somewhere has vectors of its own passages alone/,
  ],
  ...(
    [
      ['10,10', /10 comes after 10/],
      ['100,10', /10 comes after 100/],
      ['-1', /'-1' is no number/],
      ['1e3', /'1e3' is no number/],
      ['10,', /'' is no number/],
    ] as const
  ).map(([distractors, message]): (typeof refused)[number] => [
    distractors,
    () => requestsOf({ arch: 'bm25', dataset: 'squad', distractors }),
    'USAGE',
    message,
  ]),
  [
    'from without a number',
    () => requestsOf({ arch: 'bm25', dataset: 'squad', 'distractors-from': 'sample' }),
    'USAGE',
    /plays no part without --distractors/,
  ],
  [
    'from an unknown dataset',
    () => requestsOf({ arch: 'bm25', dataset: 'squad', distractors: '1', 'distractors-from': 'sqad' }),
    'UNKNOWN_NAME',
    /sqad/,
  ],
];

test('what cannot be added is refused, and says why', async () => {
  for (const [what, asked, code, message] of refused) {
    await assert.rejects(asked, (error: unknown) => {
      assert.ok(error instanceof BenchError, `${what}: ${error}`);
      assert.equal(error.code, code, what);
      assert.match(error.message, message, what);
      assert.ok(error.hint, what);
      return true;
    });
  }
});

test('passages are written at their places, however few are held at once', async () => {
  const passages = drawn.slice(0, 23);
  const order = passages.map((_, i) => (i * 7) % 23);
  async function* placed() {
    for (const place of order) yield { place, passage: passages[place]! };
  }
  for (const partPassages of [1, 4, 100]) {
    const file = inRoot(`placed-${partPassages}.jsonl`);
    await writePlaced(file, placed(), partPassages);
    const read: Passage[] = [];
    for await (const passage of readPassageFile(file)) read.push(passage);
    assert.deepEqual(read, passages);
  }
});
