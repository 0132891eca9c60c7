/** Whether accuracy fell: by more than is tolerated, and by more than chance explains. */
import { firstOf, measuresOf, ordersOf, type System } from '../comparison/systems.js';
import { unitOf } from '../comparison/table.js';
import type { ReportCheck } from '../contracts.js';
import { BenchError } from '../errors.js';
import { compareSystems, type MeasureComparison, type SystemValues } from '../statistics/compare.js';
import { holm } from '../statistics/holm.js';
import type { PairedComparison } from '../statistics/paired-comparison.js';
import { mean } from '../statistics/summary.js';
import { checkEquivalence } from './equivalence.js';
import { signed, sure, trimmed } from './figures.js';
import type { PairedSystem } from './pairs.js';
import { independentP, pairedNoise, type SeedSides, seedSides } from './seeds.js';

export interface AccuracyThresholds {
  /** Of the measure's own unit: 0.02 are two points. */
  accuracyDrop: number;
  /** Below it a corrected p is significant. */
  significance: number;
  /** Margin, of shares, within which the two must be shown to be as good as equal; nothing has to be shown where absent. */
  equivalence?: number;
}

interface Tested {
  pair: PairedSystem;
  measure: string;
  higherIsBetter: boolean;
  before: number;
  now: number;
  test: MeasureComparison['overQueries'];
  /** Before correction; the larger of two where seeds are tested too, so that both must be small. */
  p: number | undefined;
  /** The largest difference that the seeds explain. */
  noise: number;
  mode: SeedSides['mode'];
}

/**
 * Compares every measure of every pair over queries, each query with its mean over the seeds of its side, and corrects
 * all p-values as one family. A drop counts when it is larger than `accuracyDrop`, its corrected p is below
 * `significance`, and seeds do not explain it: see seeds.ts. Where both sides have seeds in common these are compared,
 * seed by seed; where they have none, p is that of the seeds if it is the larger, and two runs alone are not compared.
 * @throws BenchError RECORD_INVALID where a pair does not hold the same queries
 */
export function checkAccuracy(
  pairs: readonly PairedSystem[],
  { accuracyDrop, significance, equivalence }: AccuracyThresholds,
): ReportCheck[] {
  const compared = pairs.map((pair) => testsOf(pair, equivalence));
  const tested = compared.flatMap((tests) => (Array.isArray(tests) ? tests : []));
  const corrected = holm(tested.map(({ p }) => p));
  const checks = tested.map(({ pair, measure, higherIsBetter, before, now, test, noise }, i): ReportCheck => {
    const gain = higherIsBetter ? test.difference : -test.difference;
    const p = corrected[i];
    const unit = unitOf([pair.baseline!, pair.current!], measure);
    const significant = p !== undefined && p < significance;
    const beyondSeeds = Math.abs(gain) > noise;
    const large = Math.abs(gain) > accuracyDrop;
    const counts = significant && beyondSeeds && large;
    const why = counts ? undefined : sparedBy({ large, significant, beyondSeeds, accuracyDrop, unit });
    return {
      system: pair.name,
      dataset: pair.dataset,
      name: `accuracy ${measure}`,
      verdict: counts ? (gain < 0 ? 'worse' : 'better') : 'same',
      baseline: before,
      current: now,
      unit,
      detail: `${valueText(before, unit)} to ${valueText(now, unit)}: ${describe(test, unit, p)}`,
      ...(gain < 0 && why !== undefined && { spared: why }),
    };
  });
  const unknown = compared.flatMap((tests) => (Array.isArray(tests) ? [] : [tests]));
  const shown = tested.map(({ pair, measure, test, mode, ...rest }) => ({
    ...rest,
    ...{ system: pair.name, dataset: pair.dataset, measure, difference: test.difference },
    unit: unitOf([pair.baseline!, pair.current!], measure),
    paired: mode === 'paired',
    equivalence: test.equivalence,
  }));
  return [...unknown, ...checks, ...checkEquivalence(shown, significance)];
}

/** The tests of a pair, or the reason why there are none. */
function testsOf(pair: PairedSystem, equivalence?: number): Tested[] | ReportCheck {
  if (pair.baseline === undefined || pair.current === undefined) return [];
  const sides = seedSides(pair.baseline, pair.current);
  if (sides === undefined) {
    return {
      system: pair.name,
      dataset: pair.dataset,
      name: 'accuracy',
      verdict: 'not compared',
      detail:
        'one run of either side and their seeds differ, so what a seed changes is not known; run the same seed, or put several in the baseline',
    };
  }
  const { baseline, current, mode } = sides;
  const held = measuresOf(current);
  const measures = measuresOf(baseline).filter((id) => held.includes(id));
  if (measures.length === 0) return [];
  const facts = firstOf(baseline).measures;
  const compared = compareSystems(overSeeds(baseline, measures), overSeeds(current, measures), {
    measures,
    correction: 'none',
    permutations: 1000,
    ...(equivalence !== undefined && { equivalence }),
    lowerIsBetter: measures.filter((id) => !facts[id]!.higherIsBetter),
  });
  return compared.measures.map(({ measure, baseline: before, candidate: now, overQueries: test }) => {
    const bySeeds = mode === 'independent' ? independentP(sides, measure) : 0;
    return {
      pair,
      measure,
      higherIsBetter: facts[measure]!.higherIsBetter,
      before: before.mean,
      now: now.mean,
      test,
      p: test.p === undefined ? undefined : Math.max(test.p, bySeeds),
      noise: mode === 'paired' ? pairedNoise(sides, measure) : 0,
      mode,
    };
  });
}

/** Each query with its mean over the seeds, as one run. */
function overSeeds(system: System, measures: readonly string[]): SystemValues {
  const { name, runs } = system;
  const { queryIds } = firstOf(system);
  // Seeds may list the same queries in another order.
  const orders = ordersOf(queryIds, system);
  if (orders === undefined) {
    const files = runs.map(({ file }) => file).join(', ');
    throw new BenchError('RECORD_INVALID', `The runs of ${name} do not hold the same queries: ${files}.`, {
      hint: 'Make the runs again on the same dataset and split.',
    });
  }
  const valuesOf = (id: string) =>
    queryIds.map((_, q) => mean(runs.map(({ record }, r) => record.measures[id]!.perQuery[orders[r]![q]!]!)));
  return {
    name,
    queryIds,
    measures: Object.fromEntries(measures.map((id) => [id, [{ seed: 0, values: valuesOf(id) }]])),
  };
}

/** What it was not counted for; undefined where nothing spoke for counting it. */
function sparedBy({
  large,
  significant,
  beyondSeeds,
  accuracyDrop,
  unit,
}: {
  large: boolean;
  significant: boolean;
  beyondSeeds: boolean;
  accuracyDrop: number;
  unit: 'share' | 'count';
}): string | undefined {
  if (!large && !(significant && beyondSeeds)) return undefined;
  const allowed = unit === 'share' ? `${trimmed(100 * accuracyDrop)} points` : trimmed(accuracyDrop);
  if (!large) return `significant, and no more than the ${allowed} of check.accuracyDrop`;
  return `more than the ${allowed} of check.accuracyDrop, and ${significant ? 'no more than its seeds vary by' : 'not significant'}`;
}

function valueText(value: number, unit: 'share' | 'count'): string {
  return unit === 'share' ? `${(100 * value).toFixed(2)} %` : value.toFixed(4);
}

function describe(
  { difference, interval }: PairedComparison,
  unit: 'share' | 'count',
  p: number | undefined,
): string {
  // Shares differ in points; of anything else the difference is a number of the same thing.
  const [scale, name] = unit === 'share' ? [100, ' points'] : [1, ''];
  const points = (value: number) => signed(scale * value);
  const range = interval === undefined ? '' : ` (95 % ${points(interval.low)} to ${points(interval.high)})`;
  return `${points(difference)}${name}${range}, ${sure(p)}`;
}
