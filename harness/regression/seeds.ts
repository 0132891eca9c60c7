/** What the seeds of training explain: a test over queries does not see that training is random too. */
import type { System } from '../comparison/systems.js';
import { studentQuantile, studentTwoSidedP } from '../statistics/distributions.js';
import { mean, standardDeviation } from '../statistics/summary.js';

/** The two sides as they are compared: on the seeds both have, or, where there are none, on all of either side. */
export interface SeedSides {
  baseline: System;
  current: System;
  /** `paired`: run i of either side has the same seed. `independent`: they have no seed in common. */
  mode: 'paired' | 'independent';
}

/** @returns undefined where either side has one run and their seeds differ: what a seed changes is not known then */
export function seedSides(baseline: System, current: System): SeedSides | undefined {
  const seedsOf = ({ runs }: System) => runs.map(({ record }) => record.seed);
  const common = seedsOf(baseline).filter((seed) => seedsOf(current).includes(seed));
  if (common.length > 0) {
    const onCommon = (system: System) => ({
      ...system,
      runs: system.runs.filter(({ record }) => common.includes(record.seed)),
    });
    return { baseline: onCommon(baseline), current: onCommon(current), mode: 'paired' };
  }
  if (baseline.runs.length + current.runs.length < 3) return undefined;
  return { baseline, current, mode: 'independent' };
}

function meansOf({ runs }: System, measure: string): number[] {
  return runs.map(({ record }) => record.measures[measure]!.mean);
}

/**
 * The largest difference that seeds alone explain where they are the same on both sides: t(0.95, n - 1) s / sqrt(n), s
 * being the standard deviation of the differences seed by seed. 0 where there is one seed: a program that did not change
 * gives the same numbers for it, so what differs is the change, although another seed might not show it.
 */
export function pairedNoise({ baseline, current }: SeedSides, measure: string): number {
  const before = meansOf(baseline, measure);
  const now = meansOf(current, measure);
  const deviation = standardDeviation(now.map((value, i) => value - before[i]!));
  if (deviation === undefined) return 0;
  return (studentQuantile(0.95, before.length - 1) * deviation) / Math.sqrt(before.length);
}

/**
 * Student's t-test for two independent samples with a common variance (pooled over both sides), two-sided: whether the
 * means of the seeds differ by more than the seeds of either side do. At least 3 runs in all.
 */
export function independentP({ baseline, current }: SeedSides, measure: string): number {
  const sides = [meansOf(baseline, measure), meansOf(current, measure)] as const;
  const df = sides[0].length + sides[1].length - 2;
  const squares = sides.reduce(
    (sum, values) => sum + (standardDeviation(values) ?? 0) ** 2 * (values.length - 1),
    0,
  );
  const difference = mean(sides[1]) - mean(sides[0]);
  if (difference === 0) return 1;
  const standardError = Math.sqrt((squares / df) * (1 / sides[0].length + 1 / sides[1].length));
  return studentTwoSidedP(difference / standardError, df);
}
