/** A run against its qrels: the value of every measure for every query, and the means. */
import type { Qrels, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { mean } from '../statistics/summary.js';
import { judge, type TieRule } from './judge.js';
import type { Measure } from './measure.js';

export interface EvaluateOptions {
  /** How hits of equal score are ordered; see TieRule. */
  ties: TieRule;
  /**
   * The queries that count, in the order of the values. `judged` (default): all that have qrels, as trec_eval -c.
   * `judged-and-run`: those that also have hits, as trec_eval without -c. A list: exactly these.
   * A query that counts and has no hits scores 0.
   */
  queries?: 'judged' | 'judged-and-run' | readonly string[];
  /** Lowest relevance that counts as relevant, 1 by default; trec_eval -l. Not for ndcg, whose gains are graded. */
  relevance?: number;
  /** Hits per query that are looked at, all by default; trec_eval -M. */
  depth?: number;
  /** `dropped` removes a hit whose passage id is the query's id before ranks are counted: BEIR's rule. Default `kept`. */
  identicalIds?: 'dropped' | 'kept';
  /** `dropped` removes hits without a judgement, or with one below 0, from within the depth; trec_eval -J. Default `kept`. */
  unjudged?: 'dropped' | 'kept';
  /**
   * For `answer@k`: the rank of the first hit that holds an answer, undefined where none does; counted in the ranking
   * as evaluated, after dropped ids. Every query that has hits must be in it.
   */
  firstAnswerRank?: ReadonlyMap<string, number | undefined>;
}

export interface MeasureResult {
  readonly measure: Measure;
  /** Over all queries that count. */
  readonly mean: number;
  /** One value per query, in the order of `queryIds`. */
  readonly perQuery: Float64Array;
}

export interface Evaluation {
  readonly queryIds: readonly string[];
  /** By measure id, in the order asked for. */
  readonly measures: ReadonlyMap<string, MeasureResult>;
  /** How many of the queries have no hits; they scored 0. */
  readonly withoutHits: number;
  /** How many queries of the run were left out, having no qrels or not being asked for. */
  readonly leftOut: number;
  /** How many hits somebody judged, over all of the queries. */
  readonly judgedHits: number;
  /** How many queries have qrels and were left out: having no hits, or not being asked for. */
  readonly judgedLeftOut: number;
}

/**
 * Evaluates with trec_eval's definitions (https://github.com/usnistgov/trec_eval), tie rule by option.
 * @throws BenchError DATA_INVALID where no query is left to evaluate, or run and qrels share none; PLUGIN_FAILED where a measure
 *   gives what it cannot be
 */
export function evaluate(
  run: Run,
  qrels: Qrels,
  measures: readonly Measure[],
  options: EvaluateOptions,
): Evaluation {
  const { ties, relevance = 1, depth = Infinity, identicalIds, unjudged, firstAnswerRank } = options;
  assertPositive('relevance', relevance);
  assertPositive('depth', depth);
  const needsAnswers = measures.some(({ needs }) => needs === 'answers');
  if (needsAnswers && firstAnswerRank === undefined) throw new TypeError('answer@k needs firstAnswerRank');
  const queryIds = queriesOf(run, qrels, options.queries ?? 'judged');
  const values = measures.map(() => new Float64Array(queryIds.length));
  let withoutHits = 0;
  let judgedHits = 0;
  for (const [position, queryId] of queryIds.entries()) {
    const ranking = run.get(queryId);
    if (ranking === undefined || ranking.passageIds.length === 0) withoutHits++;
    else if (needsAnswers && !firstAnswerRank!.has(queryId)) {
      throw new TypeError(`firstAnswerRank says nothing of query '${queryId}', which has hits`);
    }
    const judged = judge(queryId, ranking, qrels.get(queryId), firstAnswerRank?.get(queryId), {
      ties,
      relevance,
      depth,
      identicalIds,
      unjudged,
    });
    judgedHits += judged.judged.reduce((count, each) => count + each, 0);
    for (const [i, measure] of measures.entries())
      values[i]![position] = checked(measure, measure.score(judged), queryId);
  }
  return {
    queryIds,
    measures: new Map(
      measures.map((measure, i) => [measure.id, { measure, mean: mean(values[i]!), perQuery: values[i]! }]),
    ),
    withoutHits,
    judgedHits,
    judgedLeftOut: qrels.size - queryIds.reduce((count, queryId) => count + (qrels.has(queryId) ? 1 : 0), 0),
    leftOut: run.size - queryIds.reduce((count, queryId) => count + (run.has(queryId) ? 1 : 0), 0),
  };
}

/** Sums of shares may end a little above what they are. */
const slack = 1e-9;

/** @throws BenchError PLUGIN_FAILED for what its unit cannot be: tables would show it, and tests compare it, as if it were a figure */
function checked({ family, id, unit }: Measure, value: number, queryId: string): number {
  const isShare = value >= -slack && value <= 1 + slack;
  if (Number.isFinite(value) && (unit !== 'share' || isShare)) return value;
  throw new BenchError(
    'PLUGIN_FAILED',
    `The plug-in harness/metrics/measures/${family}.ts gave ${value} as ${id} of query '${queryId}'.`,
    { hint: "A measure is a finite number, and one whose unit is 'share' lies between 0 and 1." },
  );
}

function queriesOf(
  run: Run,
  qrels: Qrels,
  choice: NonNullable<EvaluateOptions['queries']>,
): readonly string[] {
  if (typeof choice !== 'string') {
    if (choice.length === 0) throw new BenchError('DATA_INVALID', 'There is no query to evaluate.');
    if (new Set(choice).size !== choice.length) throw new TypeError('a query id is listed twice');
    return choice;
  }
  const judged = [...qrels.keys()];
  if (judged.length === 0) throw new BenchError('DATA_INVALID', 'There are no qrels to evaluate with.');
  const found = judged.filter((queryId) => run.has(queryId));
  if (found.length === 0 && (run.size > 0 || choice === 'judged-and-run')) {
    const [first] = run.keys();
    throw new BenchError('DATA_INVALID', 'The run and the qrels have no query in common.', {
      hint: `Query ids of the run look like '${first ?? ''}', those of the qrels like '${judged[0]}'. Are they of one dataset?`,
    });
  }
  return choice === 'judged' ? judged : found;
}

function assertPositive(name: string, value: number): void {
  if (value >= 1 && (Number.isInteger(value) || value === Infinity)) return;
  throw new BenchError('CONFIG_INVALID', `${name} must be a whole number from 1, not ${value}.`);
}
