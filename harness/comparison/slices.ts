/** Systems compared on slices of the queries, every test of every slice corrected together. */
import type { ReportComparison, ReportSlices } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { holm } from '../statistics/holm.js';
import { mean } from '../statistics/summary.js';
import { type ComparisonRequest, compareWithBaseline, sidesOf } from './compare.js';
import { groupSystems, type System } from './systems.js';
import { tableOf } from './table.js';

/** The slice of every query, by query id. */
export type Slices = ReadonlyMap<string, string>;

/** How many ids are listed before they are only counted. */
const listed = 10;

/**
 * @param records every one of which must hold queries of the slices alone, each of which some record must hold
 * @throws BenchError DATA_INVALID that lists the queries without a slice, and those of slices that no record holds
 */
export function assertSlicesFit(slices: Slices, records: readonly StoredRecord[]): void {
  const held = new Set(records.flatMap(({ record }) => record.queryIds));
  const without = [...held].filter((queryId) => !slices.has(queryId));
  const unknown = [...slices.keys()].filter((queryId) => !held.has(queryId));
  const problems = [
    ...(without.length === 0 ? [] : [`${counted(without, 'of the records')} in no slice: ${named(without)}`]),
    ...(unknown.length === 0 ? [] : [`${counted(unknown, 'of the slices')} in no record: ${named(unknown)}`]),
  ];
  if (problems.length === 0) return;
  throw new BenchError('DATA_INVALID', `The slices do not fit the queries.\n  ${problems.join('\n  ')}`, {
    hint: 'Every query of the records has one line in the file, and no other query has one; name records of one dataset and split.',
  });
}

const counted = (ids: readonly string[], of: string) =>
  ids.length === 1 ? `1 query ${of} is` : `${ids.length.toLocaleString('en-US')} queries ${of} are`;

function named(ids: readonly string[]): string {
  const more = ids.length - listed;
  return ids.slice(0, listed).join(', ') + (more > 0 ? ` and ${more.toLocaleString('en-US')} more` : '');
}

/** The slices that the system has queries of, in the order in which each comes first in the file. */
function namesOf(slices: Slices, { runs }: System): string[] {
  const held = new Set(runs[0]!.record.queryIds);
  return [...new Set([...slices].flatMap(([queryId, slice]) => (held.has(queryId) ? [slice] : [])))];
}

/** The system on some of its queries: what is measured of all of them alone, such as latency, is left out. */
function restricted({ name, runs }: System, slices: Slices, slice: string): System {
  return { name, runs: runs.map(({ file, record }) => ({ file, record: onSlice(record, slices, slice) })) };
}

function onSlice(
  { latency: _, index: _index, ...record }: RunRecord,
  slices: Slices,
  slice: string,
): RunRecord {
  const kept = record.queryIds.flatMap((queryId, q) => (slices.get(queryId) === slice ? [q] : []));
  const measures = Object.entries(record.measures).map(([id, { perQuery, ...facts }]) => {
    const values = kept.map((q) => perQuery[q]!);
    return [id, { ...facts, mean: mean(values), perQuery: values }] as const;
  });
  return {
    ...record,
    queryIds: kept.map((q) => record.queryIds[q]!),
    measures: Object.fromEntries(measures),
  };
}

/**
 * One comparison for each slice and each system beside the baseline; their p are corrected by Holm as one family,
 * over queries and over seeds apart.
 * @throws BenchError RECORD_INVALID where there are not two systems or they cannot be paired, DATA_INVALID as
 *   `assertSlicesFit`, UNKNOWN_NAME
 */
export function compareSlices(
  records: readonly StoredRecord[],
  slices: Slices,
  request: ComparisonRequest = {},
): ReportComparison[] {
  assertSlicesFit(slices, records);
  const [baseline, candidates] = sidesOf(records, request.baseline);
  return comparedSlices(baseline, candidates, slices, request);
}

function comparedSlices(
  baseline: System,
  candidates: readonly System[],
  slices: Slices,
  request: ComparisonRequest,
): ReportComparison[] {
  const compared = namesOf(slices, baseline).flatMap((slice) => {
    const [first, ...others] = [baseline, ...candidates].map((system) => restricted(system, slices, slice));
    return compareWithBaseline(first!, others, { ...request, correction: 'none' }).map((comparison) => ({
      ...comparison,
      slice,
      latency: [],
      latencyNotes: [],
    }));
  });
  return request.correction === 'none' ? compared : corrected(compared);
}

/** All p of all comparisons as one family, over queries and over seeds apart. */
function corrected(comparisons: readonly ReportComparison[]): ReportComparison[] {
  const tests = (over: 'overQueries' | 'overSeeds') =>
    comparisons.flatMap(({ measures }) => measures.map((measure) => measure[over]));
  const correctedP = new Map<object, number | undefined>();
  const count = (over: 'overQueries' | 'overSeeds') => {
    for (const of of [tests(over), tests(over).flatMap(({ equivalence }) => equivalence ?? [])]) {
      for (const [i, p] of holm(of.map((each) => each.p)).entries()) correctedP.set(of[i]!, p);
    }
    return tests(over).filter(({ p }) => p !== undefined).length;
  };
  const familySize = { overQueries: count('overQueries'), overSeeds: count('overSeeds') };
  const together = <T extends object>(each: T): T => {
    const p = correctedP.get(each);
    return p === undefined ? each : { ...each, correctedP: p };
  };
  const tested = <T extends ReportComparison['measures'][number]['overSeeds']>(test: T): T => ({
    ...together(test),
    ...(test.equivalence && { equivalence: together(test.equivalence) }),
  });
  return comparisons.map((comparison) => ({
    ...comparison,
    correction: 'holm',
    familySize,
    measures: comparison.measures.map((measure) => ({
      ...measure,
      overQueries: tested(measure.overQueries),
      overSeeds: tested(measure.overSeeds),
    })),
  }));
}

/**
 * The accuracy of all systems of some records on each slice, each compared with the first.
 * @throws BenchError as `compareSlices`, but that one system alone is shown without a comparison
 */
export function showSlices(records: readonly StoredRecord[], slices: Slices): ReportSlices {
  assertSlicesFit(slices, records);
  const [first, ...others] = groupSystems(records);
  return slicesOf([first!, ...others], first, others, slices, {});
}

/**
 * The accuracy of each system on each slice, as in the table of all queries.
 * @param baseline and `candidates` that can be paired with it; the other systems are shown without a test
 */
export function slicesOf(
  systems: readonly System[],
  baseline: System | undefined,
  candidates: readonly System[],
  slices: Slices,
  request: ComparisonRequest,
): ReportSlices {
  const comparisons =
    baseline === undefined || candidates.length === 0
      ? []
      : comparedSlices(baseline, candidates, slices, request);
  const names = [...new Set(systems.flatMap((system) => namesOf(slices, system)))];
  return {
    comparisons,
    slices: names.map((name) => {
      // A system that was run on fewer queries may have none of a slice.
      const having = systems.filter((system) => namesOf(slices, system).includes(name));
      const own = having.map((system) => restricted(system, slices, name));
      const tested = comparisons.filter(({ slice }) => slice === name);
      const { rows } = tableOf(own, tested, request);
      return {
        name,
        queryCount: Math.max(...own.map(({ runs }) => runs[0]!.record.queryIds.length)),
        systems: rows.map(({ name: system, cells }) => ({ system, cells })),
      };
    }),
  };
}
