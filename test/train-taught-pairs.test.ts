/** Which pair gets which of a teacher's scores, on the way from the file to a batch: what has none is never taken for 0. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Dataset, Passage } from '../harness/contracts.js';
import { remarks } from '../harness/stages/train.js';
import { makeBatch } from '../harness/train/batches.js';
import { type NegativeSource, trainingExamples } from '../harness/train/examples.js';
import type { TeacherSource } from '../harness/train/taught-pairs.js';

/** Queries a and b with positives p1 and p2; passage pN is the token N. */
const dataset: Dataset = {
  ...{ name: 'made', version: '1', licence: '', files: [], passageCount: 9 },
  async *passages(): AsyncGenerator<Passage> {
    for (let i = 1; i <= 9; i++) yield { passageId: `p${i}`, title: '', text: String(i) };
  },
  queries: async () => ['a', 'b'].map((queryId) => ({ queryId, text: '0' })),
  qrels: async () => [
    { queryId: 'a', passageId: 'p1', relevance: 1 },
    { queryId: 'b', passageId: 'p2', relevance: 1 },
  ],
};
const tokens = {
  query: (text: string) => Int32Array.of(Number(text)),
  passage: ({ text }: Passage) => Int32Array.of(Number(text)),
};
const mined: NegativeSource = {
  name: 'mined',
  negatives: new Map([
    ['a', ['p3', 'p4', 'p5']],
    ['b', ['p4']],
  ]),
};

type Scores = readonly (readonly [queryId: string, passageId: string, score: number])[];
const teacherOf = (scores: Scores, missing: TeacherSource['missing'] = 'left-out'): TeacherSource => ({
  ...{ name: 'teacher.tsv', missing },
  async read(take) {
    for (const [queryId, passageId, score] of scores) {
      const fault = take(queryId, passageId, score);
      if (fault !== undefined) throw new Error(fault);
    }
  },
});

const examplesOf = (teacher: TeacherSource, sources = [mined]) =>
  trainingExamples(dataset, 'train', tokens, { negatives: 2, negativePool: 3 }, sources, teacher);

const scores: Scores = [
  ['a', 'p1', 8.5],
  ['a', 'p4', -2],
  ['a', 'p5', 0],
  ['b', 'p2', 3],
  ['b', 'p4', 3.5],
  // Of no pair that is trained on: a passage of another query, one that is not there, a query that is not.
  ['b', 'p3', 1],
  ['a', 'p99', 1],
  ['c', 'p1', 1],
];

const batching = {
  ...{ batchSize: 2, negatives: 2, missingNegative: 'left-out' as const },
  ...{ maxQueryTokens: 4, maxPassageTokens: 4, paddingId: 0 },
} as const;

test('pairs get their scores, and what has none or is not trained on is counted and told', async () => {
  const { examples, counts } = await examplesOf(teacherOf(scores));
  assert.deepEqual(
    examples.map(({ taught }) => [taught!.positive, ...taught!.negatives]),
    [
      [8.5, Number.NaN, -2, 0],
      [3, 3.5],
    ],
  );
  const { scoredPairs, unscoredPairs, untaughtExamples, unusedScores } = counts;
  assert.deepEqual([scoredPairs, unscoredPairs, untaughtExamples, unusedScores], [5, 1, 0, 3]);
  const told = remarks(counts, { ...counts, tooFewNegatives: 0 }, 3, { named: true }).join('\n');
  assert.match(told, /1 of 6 pairs of a query and a passage have no score of the teacher/);
  assert.match(told, /3 of the teacher's scores are of pairs that are not trained on/);
});

test('a batch has the scores at the passages that each query was given, and none for others', async () => {
  const { examples } = await examplesOf(teacherOf(scores));
  const known = new Map<string, number>(
    scores.map(([queryId, passageId, score]) => [`${queryId} ${passageId.slice(1)}`, score]),
  );
  const drawn = new Set<string>();
  for (let epoch = 0; epoch < 20; epoch++) {
    const { passageIds, passageTokens, teacher, passages } = makeBatch(examples, 1, epoch, batching);
    for (const [q, queryId] of ['a', 'b'].entries()) {
      for (let p = 0; p < passages; p++) {
        const isOwn = Math.floor(p / 3) === q;
        const passage = passageIds[p * passageTokens]!;
        const expected = isOwn ? known.get(`${queryId} ${passage}`) : undefined;
        const at = q * passages + p;
        assert.equal(teacher!.scored[at], expected === undefined ? 0 : 1, `${queryId} ${passage}`);
        if (expected !== undefined) assert.equal(teacher!.scores[at], expected);
        if (isOwn) drawn.add(`${queryId} ${passage}`);
      }
    }
  }
  // Padding, 0, stands where b has no second negative.
  assert.deepEqual([...drawn].sort(), ['a 1', 'a 3', 'a 4', 'a 5', 'b 0', 'b 2', 'b 4']);
  const plain = await trainingExamples(dataset, 'train', tokens, { negatives: 2, negativePool: 3 }, [mined]);
  const [taught, untaught] = [examples, plain.examples].map((of) => makeBatch(of, 1, 0, batching));
  assert.equal(untaught!.teacher, undefined);
  assert.deepEqual(taught!.passageIds, untaught!.passageIds, 'the same draw with a teacher and without');
});

test('a query of two sets has its scores in both', async () => {
  const added: NegativeSource = {
    ...{ name: 'added', negatives: new Map([['a', ['p5', 'p6']]]) },
    positives: new Map([['a', ['p4']]]),
  };
  const { examples } = await examplesOf(teacherOf(scores), [mined, added]);
  assert.deepEqual(examples.map(({ taught }) => [taught!.positive, ...taught!.negatives]).at(-1), [
    -2,
    0,
    Number.NaN,
  ]);
});

test('scores that do not fit are refused', async () => {
  const again = await examplesOf(teacherOf([...scores, ['a', 'p1', 8.5]]));
  assert.equal(again.counts.scoredPairs, 5, 'the same once more is no other');
  await assert.rejects(examplesOf(teacherOf([...scores, ['a', 'p4', -2.5]])), {
    message: "query 'a' and passage 'p4' have the score -2.5, and had -2 in a line before",
  });
  await assert.rejects(examplesOf(teacherOf([['a', 'p1', 1e300]])), { message: /too large for 32 bits/ });
  await assert.rejects(examplesOf(teacherOf(scores, 'refused')), {
    code: 'DATA_INVALID',
    message: /no score for 1 pairs that are trained on:\n {2}query 'a', passage 'p3'$/,
    hint: /train\.teacher\.missing=left-out/,
  });
  const whole: Scores = [...scores, ['a', 'p3', 1]];
  assert.equal((await examplesOf(teacherOf(whole, 'refused'))).counts.unscoredPairs, 0);
  // One passage of a query has nothing to be compared with.
  await assert.rejects(
    examplesOf(
      teacherOf([
        ['x', 'p1', 1],
        ['a', 'p1', 1],
      ]),
    ),
    {
      code: 'DATA_INVALID',
      message: /says nothing of what is trained on/,
      hint: /look like query 'x', passage 'p1', those of the training like query 'a', passage 'p1'/,
    },
  );
});
