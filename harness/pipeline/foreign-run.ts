/** A run that another program made, as a search of ours would have left it: a ranking of each query of a split, and of no other. */
import type { DataFile, Dataset, Query, Ranking, Run, Split } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { type RunFormat, readRunFile } from '../interchange/run-file.js';

export interface ForeignRun {
  /** Best hits first: by score; equal ones keep the order of their ranks. */
  readonly run: Run;
  /** The system's name, where the file has it. */
  readonly tag?: string;
  readonly found: ForeignFacts;
}

/** What a reader of the figures should know of such a file. */
export interface ForeignFacts {
  /** What was taken from the numbers of the file rather than from what it or the user says. */
  readonly remarks: readonly string[];
  /** Queries of the file that the split does not have. */
  readonly leftOut: number;
  /** Queries of the split that the file has no hits for, and how many there are. */
  readonly without: number;
  readonly queries: number;
}

/**
 * @param format seen from the file where absent
 * @throws BenchError as `readRunFile`; DATA_INVALID where it has hits for none of the queries
 */
export async function readForeignRun(
  file: string,
  dataset: Dataset,
  split: Split,
  format?: RunFormat,
): Promise<ForeignRun> {
  const queries = await dataset.queries(split);
  const { run, tag, remarks } = await readRunFile(file, { ...(format && { format }), queries });
  const known = queries.filter(({ queryId }) => run.has(queryId)).length;
  if (known === 0) throw ofOthers(file, dataset, split, queries, run);
  return {
    run: bestFirst(queries, run),
    ...(tag !== undefined && { tag }),
    found: {
      remarks,
      leftOut: run.size - known,
      without: queries.filter(({ queryId }) => !run.get(queryId)?.passageIds.length).length,
      queries: queries.length,
    },
  };
}

/** @param unknown passages of the run that the collection does not have */
export function remarksOf(
  { remarks, leftOut, without, queries }: ForeignFacts,
  { name, sha256 }: DataFile,
  split: Split,
): string[] {
  return [
    `run file ${name}, sha256 ${sha256}`,
    ...remarks,
    ...(leftOut === 0
      ? []
      : [
          `${counted(leftOut, `queries of the run are not ${split} queries and are`, `query of the run is not a ${split} query and is`)} left out`,
        ]),
    ...(without === 0
      ? []
      : [
          `the run has no hits for ${without.toLocaleString('en-US')} of ${counted(queries, `${split} queries`, `${split} query`)}, which ${without === 1 ? 'counts' : 'count'} as finding nothing`,
        ]),
  ];
}

/** Of hits that were measured all the same. @param count passages of the run that the collection does not have */
export const unknownRemarks = (count: number, dataset: string): string[] =>
  count === 0
    ? []
    : [
        `${counted(count, 'passages of the run are', 'passage of the run is')} not in ${dataset}; ${count === 1 ? 'it holds' : 'they hold'} no answer`,
      ];

/** @throws BenchError DATA_INVALID: what leaves float32 would make sums that are no numbers, and lose their passages unseen. */
export function assertScores(
  { passageIds, scores }: Pick<Ranking, 'passageIds' | 'scores'>,
  file: string,
  queryId: string,
): void {
  const at = passageIds.findIndex((_, i) => !Number.isFinite(Math.fround(scores![i]!)));
  if (at < 0) return;
  const what = `query '${queryId}', passage '${passageIds[at]}'`;
  throw new BenchError('DATA_INVALID', `${file}: ${what}: a score of ${scores![at]} is too large.`, {
    hint: 'Scores are computed with as float32, whose largest number is 3.4e38: write smaller ones.',
  });
}

function ofOthers(
  file: string,
  { name }: Dataset,
  split: Split,
  queries: readonly Query[],
  run: Run,
): BenchError {
  const [first] = run.keys();
  return new BenchError(
    'DATA_INVALID',
    `${file} has hits for none of the ${queries.length} ${split} queries of ${name}.`,
    {
      hint: `Its query ids look like '${first ?? ''}', those of the dataset like '${queries[0]?.queryId ?? ''}'. --split chooses the queries; bench run takes those of test.`,
    },
  );
}

function bestFirst(queries: readonly Query[], run: Run): Run {
  return new Map(
    queries.map(({ queryId }) => {
      const { passageIds, scores = [], ranks = [] } = run.get(queryId) ?? { passageIds: [] };
      const order = [...passageIds.keys()].sort(
        (a, b) => scores[b]! - scores[a]! || (ranks[a] ?? a) - (ranks[b] ?? b) || a - b,
      );
      return [
        queryId,
        {
          passageIds: order.map((place) => passageIds[place]!),
          scores: Float64Array.from(order, (place) => scores[place]!),
        },
      ];
    }),
  );
}
