/**
 * Scores that a teacher, such as a cross-encoder, has given pairs of a query and a passage. A line is one of
 *
 *     query passage score
 *     query Q0 passage rank score tag                    a TREC run
 *     score score query passage passage                  of the positive and a negative, as Hofstaetter et al. (2020) published theirs
 *
 * told apart by their columns, the same in the whole file. gzip is read whatever the file is called.
 */
import { BenchError } from '../errors.js';
import { eachLine, type Line } from './columns.js';

/** @returns what is wrong with a score; undefined where it is taken */
export type TakeScore = (queryId: string, passageId: string, score: number) => string | undefined;

const widths = [3, 5, 6];
const forms = 'query passage score; query Q0 passage rank score tag; or score score query passage passage';

/**
 * Reads line by line; what is to be kept is `take`'s choice.
 * @returns how many scores there were
 * @throws BenchError PATH_INVALID; DATA_INVALID with the line: columns, numbers, what `take` says; for ranks in the place of
 *   scores; and for a file without any
 */
export async function readTeacherScores(file: string, take: TakeScore): Promise<number> {
  let width: number | undefined;
  let scores = 0;
  const ranks = new RanksSeen();
  await eachLine(file, 'DATA_INVALID', (line) => {
    if (width === undefined && isHeader(line)) return;
    line.assertNoBlankInside(...widths);
    if (!widths.includes(line.count))
      throw line.fault(`${line.count} columns`, `Each line is one of: ${forms}.`);
    width ??= line.count;
    if (line.count !== width) throw line.fault(`${line.count} columns, and ${width} in the lines before`);
    const give = (query: number, passage: number, score: number) => {
      const [queryId, value] = [line.column(query), line.decimal(score, 'score')];
      const fault = take(queryId, line.column(passage), value);
      if (fault !== undefined) throw line.fault(fault);
      scores++;
      if (width === 3) ranks.see(queryId, value);
    };
    if (width === 5) {
      give(2, 3, 0);
      give(2, 4, 1);
    } else if (width === 6) give(0, 2, 4);
    else give(0, 1, 2);
  });
  if (scores === 0) throw new BenchError('DATA_INVALID', `${file} holds no scores.`);
  if (ranks.areAll)
    throw new BenchError(
      'DATA_INVALID',
      `The third column of ${file} is 1 to n in each query: these are ranks and no scores.`,
      { hint: "Write the teacher's own scores there, of which the highest is the best." },
    );
  return scores;
}

const isHeader = (line: Line): boolean => line.number === 1 && /^score$/i.test(line.column(line.count - 1));

/** Whether the numbers of all queries so far are 1, 2, 3 in the order of the file, and some query has several. */
class RanksSeen {
  #queryId: string | undefined;
  #last = 0;
  #areRanks = true;
  #hasSeveral = false;

  see(queryId: string, value: number): void {
    const expected = queryId === this.#queryId ? this.#last + 1 : 1;
    if (value !== expected) this.#areRanks = false;
    if (expected > 1) this.#hasSeveral = true;
    this.#queryId = queryId;
    this.#last = value;
  }

  get areAll(): boolean {
    return this.#areRanks && this.#hasSeveral;
  }
}
