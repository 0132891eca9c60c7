/** What the queries of some records can show: from how the systems of the records differ, query by query. */
import type { StoredRecord } from '../record.js';
import type { SystemValues } from '../statistics/compare.js';
import { isBinary } from '../statistics/mcnemar.js';
import { pairedDifferences } from '../statistics/pairs.js';
import { type PairedSpread, powerOf, queriesNeeded, smallestDifference } from '../statistics/power.js';
import { standardDeviation } from '../statistics/summary.js';
import { alignSystems, byQuery } from '../statistics/systems.js';
import { sharedMeasures, sidesOf } from './compare.js';
import { pairOfValues } from './systems.js';

interface PowerRequest {
  /** Chance to find a difference that is there. */
  power: number;
  /** Level of one test, after it was divided by the number of tests. */
  alpha: number;
  /** Of which it is asked how many queries it needs, and how likely these queries show it. */
  difference?: number;
}

interface RecordsPowerRequest extends PowerRequest {
  baseline?: string;
  /** All that the systems share where absent. */
  measures?: readonly string[];
  commonSeeds?: boolean;
  /** Instead of the number that the records have. */
  queries?: number;
}

/** What a number of queries can show of two systems that differ so much query by query. */
export interface QueryPower {
  spread: PairedSpread;
  /** Absent where only their number is asked for. */
  queries?: number;
  /** Absent where these queries show no difference. */
  smallest?: number;
  /** Of the difference that was asked for. */
  wanted?: {
    difference: number;
    /** With these queries. */
    power?: number;
    /** Absent where a thousand million are not enough. */
    queriesNeeded?: number;
  };
}

/** Two systems of the records, by one measure. */
export interface PairPower {
  baseline: string;
  candidate: string;
  measure: string;
  queries: number;
  /** How many seeds each query has the mean of. */
  seeds: number;
  /** Absent where the two differ on no query, or on all by the same: nothing is known of the spread then. */
  power?: QueryPower;
}

/** @throws BenchError CONFIG_INVALID for what is out of range */
export function powerOfQueries(
  spread: PairedSpread,
  queries: number | undefined,
  { difference, ...target }: PowerRequest,
): QueryPower {
  const smallest = queries === undefined ? undefined : smallestDifference(spread, queries, target);
  const found = {
    spread,
    ...(queries !== undefined && { queries }),
    ...(smallest !== undefined && { smallest }),
  };
  if (difference === undefined) return found;
  const needed = queriesNeeded(spread, difference, target);
  const power = queries === undefined ? undefined : powerOf(spread, queries, difference, target.alpha);
  return {
    ...found,
    wanted: {
      difference,
      ...(power !== undefined && { power }),
      ...(needed !== undefined && { queriesNeeded: needed }),
    },
  };
}

/**
 * A line for each system beside the baseline and each measure. The spread is that of the test which `bench compare` makes:
 * the share of queries that change where there is one seed and all values are 0 or 1, else the standard deviation of the
 * differences, each query with its mean over the seeds.
 * @throws BenchError RECORD_INVALID where there are not two systems or they cannot be paired, UNKNOWN_NAME, CONFIG_INVALID
 */
export function powerOfRecords(
  records: readonly StoredRecord[],
  { baseline, measures, ...request }: RecordsPowerRequest,
): PairPower[] {
  const [first, candidates] = sidesOf(records, baseline);
  const wanted = measures ?? sharedMeasures([first, ...candidates]);
  return candidates.flatMap((candidate) => pairPowers(pairOfValues(first, candidate), wanted, request));
}

function pairPowers(
  [baseline, candidate]: readonly [SystemValues, SystemValues],
  measures: readonly string[],
  { commonSeeds = false, queries: asked, ...request }: RecordsPowerRequest,
): PairPower[] {
  return alignSystems(baseline, candidate, measures, commonSeeds).map((aligned): PairPower => {
    const queries = asked ?? baseline.queryIds.length;
    const isDiscrete =
      aligned.seeds.length === 1 && [...aligned.baseline, ...aligned.candidate].every(isBinary);
    const differences = pairedDifferences(byQuery(aligned.baseline), byQuery(aligned.candidate));
    const spread = isDiscrete ? discordant(differences) : deviating(differences);
    return {
      ...{ baseline: baseline.name, candidate: candidate.name, measure: aligned.measure, queries },
      seeds: aligned.seeds.length,
      ...(spread && { power: powerOfQueries(spread, queries, request) }),
    };
  });
}

function discordant(differences: Float64Array): PairedSpread | undefined {
  const share = differences.filter((value) => value !== 0).length / differences.length;
  return share === 0 ? undefined : { test: 'McNemar exact', discordant: share };
}

function deviating(differences: Float64Array): PairedSpread | undefined {
  const deviation = standardDeviation(differences);
  return deviation === undefined || deviation === 0 ? undefined : { test: 'paired t', deviation };
}
