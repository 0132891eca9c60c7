/**
 * MTEB's result of a retrieval task as JSON: what `mteb.results.TaskResult` of mteb 2 writes and reads.
 * https://github.com/embeddings-benchmark/mteb/blob/main/mteb/results/task_result.py
 */
import { BenchError } from '../errors.js';
import { faultFinder } from '../json-schema.js';
import type { RunRecord } from './run-record.js';

export interface MtebResult {
  dataset_revision: string;
  task_name: string;
  /** Which mteb measured; null where another program did. */
  mteb_version: string | null;
  /** By split, one for each subset of the dataset. */
  scores: Readonly<Record<string, readonly MtebScores[]>>;
  /** Seconds. */
  evaluation_time: number | null;
  kg_co2_emissions?: number | null;
  /** Seconds since 1970, or a date as text. */
  date?: number | string | null;
}

/** `ndcg_at_10` and so on, beside these. */
export interface MtebScores {
  readonly main_score: number;
  readonly hf_subset: string;
  readonly languages: readonly string[];
  readonly [measure: string]: unknown;
}

/** What mteb calls a measure, by what it is called here. */
const families = {
  ndcg: 'ndcg',
  map: 'map',
  recall: 'recall',
  p: 'precision',
  mrr: 'mrr',
  success: 'hit_rate',
};
/** Retrieval tasks are ranked by it. */
const mainMeasure = 'ndcg@10';

/** `ndcg@10` as `ndcg_at_10`; undefined for a measure that mteb does not take. */
function mtebName(id: string): string | undefined {
  const [family, cut] = id.split('@');
  const name = Object.hasOwn(families, family!) ? families[family as keyof typeof families] : undefined;
  return name === undefined || cut === undefined ? undefined : `${name}_at_${cut}`;
}

/** The same the other way round; undefined for what is no measure that is known here. */
export function measureOf(name: string): string | undefined {
  const [, theirs, cut] = /^([a-z_]+)_at_([1-9]\d{0,5})$/.exec(name) ?? [];
  const family = Object.entries(families).find(([, each]) => each === theirs)?.[0];
  return family === undefined ? undefined : `${family}@${cut}`;
}

/**
 * A record as mteb would write its result. Means only: mteb keeps no values of queries.
 * @param task as mteb calls it, `SciFact`
 * @throws BenchError RECORD_INVALID for a failed run, and for one without ndcg@10, by which tasks are ranked
 */
export function mtebResultOf(record: RunRecord, task: string, languages: readonly string[]): MtebResult {
  const { measures, dataset, stages, createdAt, status } = record;
  const main = measures[mainMeasure];
  if (status !== 'ok' || main === undefined) {
    throw new BenchError(
      'RECORD_INVALID',
      status === 'ok'
        ? `The record has no ${mainMeasure}, which is the main score of a retrieval task. It has: ${Object.keys(measures).join(', ')}.`
        : 'The record is that of a run that failed.',
      { hint: `Measure it: bench run --measures ${mainMeasure},... with the rest as it was.` },
    );
  }
  const scores = Object.entries(measures).flatMap(([id, { mean }]) => {
    const name = mtebName(id);
    return name === undefined ? [] : [[name, mean] as const];
  });
  const seconds = stages.reduce((total, { execution }) => total + execution.seconds, 0);
  return {
    // Of a dataset of the hub its commit, as mteb has it.
    dataset_revision: /\b[0-9a-f]{40}\b/.exec(dataset.version)?.[0] ?? dataset.version,
    task_name: task,
    mteb_version: null,
    scores: {
      [dataset.split]: [
        { ...Object.fromEntries(scores), main_score: main.mean, hf_subset: 'default', languages },
      ],
    },
    evaluation_time: stages.length === 0 ? null : seconds,
    kg_co2_emissions: null,
    date: Date.parse(createdAt) / 1000,
  };
}

const faultsOf = faultFinder(() => ({
  type: 'object',
  required: ['task_name', 'dataset_revision', 'scores'],
  properties: {
    task_name: { type: 'string', minLength: 1, maxLength: 200 },
    dataset_revision: { type: 'string', minLength: 1, maxLength: 200 },
    mteb_version: { type: ['string', 'null'], maxLength: 200 },
    scores: {
      type: 'object',
      minProperties: 1,
      additionalProperties: {
        type: 'array',
        minItems: 1,
        items: {
          type: 'object',
          required: ['main_score', 'hf_subset', 'languages'],
          properties: {
            main_score: { type: 'number' },
            hf_subset: { type: 'string', minLength: 1, maxLength: 200 },
            languages: { type: 'array', items: { type: 'string' } },
          },
        },
      },
    },
  },
}));

/** What a result says of one split. */
export interface MtebFigures {
  task: string;
  revision: string;
  mtebVersion: string | null;
  split: string;
  subsets: readonly string[];
  /** By our name of the measure, a value for each subset. */
  values: ReadonlyMap<string, readonly number[]>;
}

/**
 * @param file names it for errors
 * @param split which of its splits; where absent test, or the only one
 * @throws BenchError RECORD_INVALID where it is none, is not of a retrieval task, or has no such split
 */
export function mtebFigures(value: unknown, file: string, split?: string): MtebFigures {
  const refused = (what: string) =>
    new BenchError('RECORD_INVALID', `${file} is not a retrieval result of mteb: ${what}.`, {
      hint: 'mteb 1.11 and later write task_name, dataset_revision and scores; older ones are not read.',
    });
  const [fault] = faultsOf(value);
  if (fault !== undefined) throw refused(fault);
  const result = value as MtebResult;
  const splits = Object.keys(result.scores);
  const chosen = split ?? (splits.length === 1 ? splits[0]! : 'test');
  if (!splits.includes(chosen)) throw refused(`it has no split '${chosen}'; it has ${splits.join(', ')}`);
  const scores = result.scores[chosen]!;
  const subsets = scores.map(({ hf_subset: subset }) => subset);
  if (new Set(subsets).size !== subsets.length) throw refused(`split '${chosen}' has a subset twice`);
  const values = new Map<string, number[]>();
  for (const name of Object.keys(scores[0]!)) {
    const id = measureOf(name);
    if (id === undefined) continue;
    const found = scores.map((each) => each[name]);
    const wrong = found.find((score) => typeof score !== 'number' || !(score >= 0 && score <= 1));
    if (wrong !== undefined || found.includes(undefined))
      throw refused(`${name} of split '${chosen}' is ${JSON.stringify(wrong)}, not a number from 0 to 1`);
    values.set(id, found as number[]);
  }
  if (values.size === 0)
    throw refused(`split '${chosen}' has no ndcg_at_10 or any other measure of retrieval`);
  const { task_name: task, dataset_revision: revision, mteb_version: mtebVersion = null } = result;
  return { task, revision, mtebVersion, split: chosen, subsets, values };
}
