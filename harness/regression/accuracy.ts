/** Whether accuracy fell: by more than is tolerated, and by more than chance explains. */
import { firstOf, measuresOf, type System } from '../comparison/systems.js';
import type { ReportCheck } from '../contracts.js';
import { compareSystems, type SystemValues } from '../statistics/compare.js';
import { studentQuantile } from '../statistics/distributions.js';
import { holm } from '../statistics/holm.js';
import type { PairedComparison } from '../statistics/paired-comparison.js';
import { mean, standardDeviation } from '../statistics/summary.js';
import type { PairedSystem } from './pairs.js';

export interface AccuracyThresholds {
  /** Of the measure's own unit: 0.02 are two points. */
  accuracyDrop: number;
  /** Below it a corrected p is significant. */
  significance: number;
}

interface Tested {
  pair: PairedSystem & { baseline: System; current: System };
  measure: string;
  higherIsBetter: boolean;
  before: number;
  now: number;
  test: PairedComparison;
  /** The largest drop that the seeds of the baseline alone explain, one-sided at 95 %; absent where it has one seed. */
  seedNoise?: number;
}

/**
 * Compares every measure of every pair over queries, each query with its mean over the seeds of its side, and corrects
 * all p-values as one family. A drop counts when it is larger than `accuracyDrop`, its corrected p is below
 * `significance`, and, where the baseline has several seeds, it is larger than these vary by: training is random too,
 * which a test over queries does not see.
 * @throws BenchError RECORD_INVALID where a pair does not hold the same queries
 */
export function checkAccuracy(
  pairs: readonly PairedSystem[],
  { accuracyDrop, significance }: AccuracyThresholds,
): ReportCheck[] {
  const unknown = pairs.filter(isNoiseUnknown);
  const tested = pairs.filter((pair) => !unknown.includes(pair)).flatMap(testsOf);
  const corrected = holm(tested.map(({ test }) => test.p));
  const checks = tested.map(
    ({ pair, measure, higherIsBetter, before, now, test, seedNoise }, i): ReportCheck => {
      const gain = higherIsBetter ? test.difference : -test.difference;
      const p = corrected[i];
      const significant = p !== undefined && p < significance;
      const beyondSeeds = seedNoise === undefined || Math.abs(gain) > seedNoise;
      const large = Math.abs(gain) > accuracyDrop;
      const counts = significant && beyondSeeds && large;
      const why =
        !large || counts ? '' : !significant ? '; not significant' : '; no more than its seeds vary by';
      return {
        system: pair.name,
        dataset: pair.dataset,
        name: `accuracy ${measure}`,
        verdict: counts ? (gain < 0 ? 'worse' : 'better') : 'same',
        baseline: before,
        current: now,
        unit: 'share',
        detail: `${before.toFixed(4)} to ${now.toFixed(4)}: ${describe(test, p)}${why}`,
      };
    },
  );
  return [
    ...unknown.map(
      ({ name, dataset }): ReportCheck => ({
        system: name,
        dataset,
        name: 'accuracy',
        verdict: 'not compared',
        detail:
          'the seed is another and the baseline has one seed, so what a seed changes is not known; run the same seed, or put several in the baseline',
      }),
    ),
    ...checks,
  ];
}

/** Runs of other seeds differ by chance; how much only several seeds tell. */
function isNoiseUnknown({ baseline, current }: PairedSystem): boolean {
  if (baseline === undefined || current === undefined || baseline.runs.length > 1) return false;
  const seeds = ({ runs }: System) => runs.map(({ record }) => record.seed).join();
  return seeds(baseline) !== seeds(current);
}

function testsOf(pair: PairedSystem): Tested[] {
  const { baseline, current } = pair;
  if (baseline === undefined || current === undefined) return [];
  const held = measuresOf(current);
  const measures = measuresOf(baseline).filter((id) => held.includes(id));
  if (measures.length === 0) return [];
  const facts = firstOf(baseline).measures;
  const compared = compareSystems(overSeeds(baseline, measures), overSeeds(current, measures), {
    measures,
    correction: 'none',
    permutations: 1000,
    lowerIsBetter: measures.filter((id) => !facts[id]!.higherIsBetter),
  });
  return compared.measures.map(({ measure, baseline: before, candidate: now, overQueries: test }) => {
    const seedNoise = noiseOfSeeds(baseline, current, measure);
    return {
      pair: { ...pair, baseline, current },
      measure,
      higherIsBetter: facts[measure]!.higherIsBetter,
      before: before.mean,
      now: now.mean,
      test,
      ...(seedNoise !== undefined && { seedNoise }),
    };
  });
}

/** Each query with its mean over the seeds, as one run. */
function overSeeds(system: System, measures: readonly string[]): SystemValues {
  const { queryIds } = firstOf(system);
  return {
    name: system.name,
    queryIds,
    measures: Object.fromEntries(
      measures.map((id) => {
        const lists = system.runs.map(({ record }) => {
          // Seeds may list the same queries in another order.
          const position = new Map(record.queryIds.map((queryId, q) => [queryId, q]));
          const { perQuery } = record.measures[id]!;
          return queryIds.map((queryId) => perQuery[position.get(queryId) ?? -1] ?? Number.NaN);
        });
        return [id, [{ seed: 0, values: queryIds.map((_, q) => mean(lists.map((list) => list[q]!))) }]];
      }),
    ),
  };
}

function noiseOfSeeds(baseline: System, current: System, measure: string): number | undefined {
  const means = baseline.runs.map(({ record }) => record.measures[measure]!.mean);
  const deviation = standardDeviation(means);
  if (deviation === undefined) return undefined;
  const spread = Math.sqrt(1 / means.length + 1 / current.runs.length);
  return studentQuantile(0.95, means.length - 1) * deviation * spread;
}

function describe({ difference, interval }: PairedComparison, p: number | undefined): string {
  const points = (value: number) => `${value < 0 ? '−' : '+'}${(100 * Math.abs(value)).toFixed(2)}`;
  const range = interval === undefined ? '' : ` (95 % ${points(interval.low)} to ${points(interval.high)})`;
  const sure = p === undefined ? 'no p' : p < 0.001 ? 'corrected p < 0.001' : `corrected p ${p.toFixed(3)}`;
  return `${points(difference)} points${range}, ${sure}`;
}
