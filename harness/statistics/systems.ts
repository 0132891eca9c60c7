/** What two systems must have in common before their values may be compared. */
import { BenchError } from '../errors.js';
import { mean } from './summary.js';

/** One seed's values of one measure. */
export interface SeedValues {
  seed: number;
  /** [Q], in the order of the system's `queryIds`; a query without hits has its 0. */
  values: ArrayLike<number>;
}

/** All that a comparison needs to know of one system. */
export interface SystemValues {
  /** As the reader of the result should see it: `mlr-sc`. */
  name: string;
  /** Which queries these are; compared where both systems say so. */
  dataset?: { name: string; version: string; split: string };
  /** [Q], each once. */
  queryIds: readonly string[];
  /** By measure id (`mrr@10`), one entry per seed. */
  measures: Readonly<Record<string, readonly SeedValues[]>>;
}

/** Two systems' values of one measure, seed by seed and query by query in the same order. */
export interface AlignedMeasure {
  measure: string;
  /** Ascending. */
  seeds: readonly number[];
  /** By seed: [Q] */
  baseline: readonly Float64Array[];
  candidate: readonly Float64Array[];
}

/**
 * Each query with its mean over the seeds.
 * @param runs by seed: [Q]
 * @returns [Q]
 */
export function byQuery(runs: readonly Float64Array[]): Float64Array {
  return runs[0]!.map((_, q) => mean(runs.map((values) => values[q]!)));
}

const shown = 3;

function named(ids: readonly (string | number)[]): string {
  const more = ids.length - shown;
  return ids.slice(0, shown).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/**
 * Puts the values of two systems side by side. Queries are never intersected: a system that lost some of its queries
 * would look better than it is.
 * @param measures which ones; all where undefined, and then both systems must hold the same
 * @param commonSeeds true: use the seeds both have; false: refuse where they differ
 * @throws BenchError RECORD_INVALID that names what differs (dataset, queries, measures, seeds) or which value is wrong
 */
export function alignSystems(
  baseline: SystemValues,
  candidate: SystemValues,
  measures: readonly string[] | undefined,
  commonSeeds: boolean,
): AlignedMeasure[] {
  checkDatasets(baseline, candidate);
  const position = checkQueries(baseline, candidate);
  const baselineOrder = baseline.queryIds.map((_, i) => i);
  const candidateOrder = baseline.queryIds.map((queryId) => position.get(queryId)!);
  return checkMeasures(baseline, candidate, measures).map((measure) => {
    const a = bySeed(baseline, measure);
    const b = bySeed(candidate, measure);
    const seeds = pairSeeds(baseline.name, candidate.name, measure, a, b, commonSeeds);
    return {
      measure,
      seeds,
      baseline: seeds.map((seed) => reorder(a.get(seed)!, baselineOrder, baseline, measure, seed)),
      candidate: seeds.map((seed) => reorder(b.get(seed)!, candidateOrder, candidate, measure, seed)),
    };
  });
}

function checkDatasets(baseline: SystemValues, candidate: SystemValues): void {
  const a = baseline.dataset;
  const b = candidate.dataset;
  if (a === undefined || b === undefined) return;
  const differing = (['name', 'version', 'split'] as const).filter((key) => a[key] !== b[key]);
  if (differing.length === 0) return;
  const parts = differing.map((key) => `dataset ${key} '${a[key]}' and '${b[key]}'`);
  throw new BenchError(
    'RECORD_INVALID',
    `${baseline.name} and ${candidate.name} differ: ${parts.join('; ')}.`,
    {
      hint: 'Only runs over the same dataset, version and split can be paired: name the records of one, or run one of them again.',
    },
  );
}

/** Where each query stands in the candidate's list. */
function checkQueries(baseline: SystemValues, candidate: SystemValues): Map<string, number> {
  for (const { name, queryIds } of [baseline, candidate]) {
    if (queryIds.length === 0) throw new BenchError('RECORD_INVALID', `${name} holds no queries.`);
    const seen = new Set<string>();
    const repeated = queryIds.filter((queryId) => seen.size === seen.add(queryId).size);
    if (repeated.length > 0) {
      throw new BenchError('RECORD_INVALID', `${name} holds queries twice: ${named(repeated)}.`, {
        hint: 'Query ids must be unique; check the dataset the record was made from.',
      });
    }
  }
  const position = new Map(candidate.queryIds.map((queryId, index) => [queryId, index]));
  const known = new Set(baseline.queryIds);
  const onlyBaseline = baseline.queryIds.filter((queryId) => !position.has(queryId));
  const onlyCandidate = candidate.queryIds.filter((queryId) => !known.has(queryId));
  const parts: string[] = [];
  if (onlyBaseline.length > 0)
    parts.push(`${onlyBaseline.length} only in ${baseline.name} (${named(onlyBaseline)})`);
  if (onlyCandidate.length > 0) {
    parts.push(`${onlyCandidate.length} only in ${candidate.name} (${named(onlyCandidate)})`);
  }
  if (parts.length === 0) return position;
  throw new BenchError(
    'RECORD_INVALID',
    `${baseline.name} (${baseline.queryIds.length} queries) and ${candidate.name} (${candidate.queryIds.length}) do not hold the same queries: ${parts.join('; ')}.`,
    {
      hint: 'Evaluate both on the same split with the same query limit; queries are paired, never intersected.',
    },
  );
}

function checkMeasures(
  baseline: SystemValues,
  candidate: SystemValues,
  asked: readonly string[] | undefined,
): readonly string[] {
  const all = [...new Set([...Object.keys(baseline.measures), ...Object.keys(candidate.measures)])];
  const wanted = asked === undefined ? all : [...new Set(asked)];
  const missing = [baseline, candidate].flatMap(({ name, measures }) => {
    const absent = wanted.filter((measure) => !Object.hasOwn(measures, measure));
    return absent.length === 0 ? [] : [`${name} lacks ${absent.join(', ')}`];
  });
  if (missing.length > 0) {
    const common = all.filter(
      (m) => Object.hasOwn(baseline.measures, m) && Object.hasOwn(candidate.measures, m),
    );
    throw new BenchError('RECORD_INVALID', `The measures cannot be paired: ${missing.join('; ')}.`, {
      hint:
        common.length > 0
          ? `Both hold ${common.join(', ')}: name the ones to compare.`
          : 'Evaluate both again.',
    });
  }
  if (wanted.length === 0) throw new BenchError('RECORD_INVALID', 'There is no measure to compare.');
  return wanted;
}

function bySeed(system: SystemValues, measure: string): Map<number, ArrayLike<number>> {
  const found = new Map<number, ArrayLike<number>>();
  for (const { seed, values } of system.measures[measure]!) {
    if (found.has(seed)) {
      throw new BenchError('RECORD_INVALID', `${system.name} holds ${measure} twice for seed ${seed}.`, {
        hint: 'Give each run record once.',
      });
    }
    found.set(seed, values);
  }
  return found;
}

function pairSeeds(
  baselineName: string,
  candidateName: string,
  measure: string,
  baseline: ReadonlyMap<number, unknown>,
  candidate: ReadonlyMap<number, unknown>,
  commonSeeds: boolean,
): number[] {
  const ascending = (seeds: Iterable<number>) => [...seeds].sort((a, b) => a - b);
  const common = ascending([...baseline.keys()].filter((seed) => candidate.has(seed)));
  const same = common.length === baseline.size && common.length === candidate.size;
  if (common.length > 0 && (same || commonSeeds)) return common;
  const lists = [baseline, candidate].map((seeds) => named(ascending(seeds.keys())) || 'none');
  throw new BenchError(
    'RECORD_INVALID',
    `${measure}: the seeds differ: ${baselineName} has ${lists[0]}; ${candidateName} has ${lists[1]}.`,
    {
      hint:
        common.length > 0
          ? `Run the missing seeds, or compare those that both have (${named(common)}): bench compare, power and report take --common-seeds.`
          : 'They have none in common; run both with the same seeds.',
    },
  );
}

function reorder(
  values: ArrayLike<number>,
  order: readonly number[],
  { name, queryIds }: SystemValues,
  measure: string,
  seed: number,
): Float64Array {
  if (values.length !== queryIds.length) {
    throw new BenchError(
      'RECORD_INVALID',
      `${name} holds ${values.length} values of ${measure} (seed ${seed}) for ${queryIds.length} queries.`,
      { hint: 'Every query needs its value; one without hits has 0. Make the record again.' },
    );
  }
  return Float64Array.from(order, (index) => {
    const value = values[index]!;
    if (Number.isFinite(value)) return value;
    throw new BenchError(
      'RECORD_INVALID',
      `${name} holds ${value} as ${measure} of query ${queryIds[index]} (seed ${seed}), not a finite number.`,
      { hint: 'The run record is damaged or was written by another tool; make it again with bench run.' },
    );
  });
}
