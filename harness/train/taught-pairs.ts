/** A teacher's scores, for the pairs of a query and a passage that a training goes through. */
import { BenchError } from '../errors.js';
import type { ExampleCounts, PassageNumbers, Plan } from './example-plans.js';

/** Where the scores come from. */
export interface TeacherSource {
  /** For errors: the file. */
  name: string;
  /** Whether a pair may be without a score: it then takes no part in the teacher's loss. */
  missing: 'left-out' | 'refused';
  /** Gives every score to `take`, which says what is wrong with it. */
  read(take: (queryId: string, passageId: string, score: number) => string | undefined): Promise<unknown>;
}

/** NaN where there is no score. */
export interface TaughtPairs {
  positive: number;
  /** In the order of the example's negatives. */
  negatives: Float32Array;
}

export type TeacherCounts = Required<
  Pick<ExampleCounts, 'scoredPairs' | 'unscoredPairs' | 'untaughtExamples' | 'unusedScores'>
>;

const shown = 10;

/** @throws BenchError DATA_INVALID where the scores are of other queries or passages, and where one is missing that may not be */
export async function taughtPairs(
  plans: readonly Plan[],
  passages: PassageNumbers,
  teacher: TeacherSource,
): Promise<{ taught: TaughtPairs[]; counts: TeacherCounts }> {
  const taught = plans.map(({ negatives }): TaughtPairs => {
    return { positive: Number.NaN, negatives: new Float32Array(negatives.length).fill(Number.NaN) };
  });
  const byQuery = new Map<string, number[]>();
  for (const [i, { asked }] of plans.entries()) {
    const own = byQuery.get(asked);
    if (own === undefined) byQuery.set(asked, [i]);
    else own.push(i);
  }
  let unusedScores = 0;
  let strange = '';
  await teacher.read((queryId, passageId, given) => {
    const number = passages.find(passageId);
    const score = Math.fround(given);
    if (!Number.isFinite(score)) return `the score ${given} is too large for 32 bits`;
    let isUsed = false;
    for (const i of (number !== undefined && byQuery.get(queryId)) || []) {
      const { positive, negatives } = plans[i]!;
      const at = negatives.indexOf(number!);
      if (positive !== number && at < 0) continue;
      isUsed = true;
      const earlier = positive === number ? taught[i]!.positive : taught[i]!.negatives[at]!;
      if (!Number.isNaN(earlier) && earlier !== score)
        return `query '${queryId}' and passage '${passageId}' have the score ${given}, and had ${earlier} in a line before`;
      if (positive === number) taught[i]!.positive = score;
      else taught[i]!.negatives[at] = score;
    }
    if (!isUsed) {
      unusedScores++;
      strange ||= `query '${queryId}', passage '${passageId}'`;
    }
    return undefined;
  });
  const counts = { ...countsOf(taught), unusedScores };
  if (counts.untaughtExamples === plans.length && plans.length > 0) {
    throw new BenchError(
      'DATA_INVALID',
      `${teacher.name} says nothing of what is trained on: no query has a score for two of its passages.`,
      {
        hint: `Ids there look like ${strange}, those of the training like query '${plans[0]!.asked}', passage '${passages.ids[plans[0]!.positive]}'. Score each query's positive and its negatives.`,
      },
    );
  }
  if (teacher.missing === 'refused' && counts.unscoredPairs > 0)
    throw unscored(plans, passages, teacher, taught, counts.unscoredPairs);
  return { taught, counts };
}

function countsOf(taught: readonly TaughtPairs[]): Omit<TeacherCounts, 'unusedScores'> {
  const counts = { scoredPairs: 0, unscoredPairs: 0, untaughtExamples: 0 };
  for (const { positive, negatives } of taught) {
    let scored = Number.isNaN(positive) ? 0 : 1;
    for (const score of negatives) if (!Number.isNaN(score)) scored++;
    counts.scoredPairs += scored;
    counts.unscoredPairs += 1 + negatives.length - scored;
    if (scored < 2) counts.untaughtExamples++;
  }
  return counts;
}

function unscored(
  plans: readonly Plan[],
  { ids }: PassageNumbers,
  { name }: TeacherSource,
  taught: readonly TaughtPairs[],
  count: number,
): BenchError {
  const faults: string[] = [];
  for (const [i, { asked, positive, negatives }] of plans.entries()) {
    const of = taught[i]!;
    const all = [
      { number: positive, score: of.positive },
      ...Array.from(negatives, (number, at) => ({ number, score: of.negatives[at]! })),
    ];
    for (const { number, score } of all)
      if (Number.isNaN(score) && faults.length < shown)
        faults.push(`query '${asked}', passage '${ids[number]}'`);
  }
  const more = count > faults.length ? [`and ${count - faults.length} more`] : [];
  return new BenchError(
    'DATA_INVALID',
    `${name} has no score for ${count} pairs that are trained on:${[...faults, ...more].map((fault) => `\n  ${fault}`).join('')}`,
    { hint: 'Score them too, or leave them out of the teacher: --set train.teacher.missing=left-out.' },
  );
}
