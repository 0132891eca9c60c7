/** Whether what was not found to be worse is shown to be as good: the burden of proof turned round. */
import type { ReportCheck } from '../contracts.js';
import type { Equivalence } from '../statistics/equivalence.js';
import { holm } from '../statistics/holm.js';
import { signed, sure, trimmed } from './figures.js';

/** A measure of a pair, as it was compared over queries. */
export interface ShownMeasure {
  system: string;
  dataset: string;
  measure: string;
  unit: 'share' | 'count';
  before: number;
  now: number;
  higherIsBetter: boolean;
  difference: number;
  /** Whether both sides have the same seeds. */
  paired: boolean;
  /** Undefined where no margin was stated. */
  equivalence: Equivalence | undefined;
}

/**
 * A check for each measure that a margin was stated for: `same` where the two are shown to be within the margin of each
 * other, `better` where only the side of a loss is excluded, `worse` where neither is shown. Both claims are tested over
 * queries, each with its mean over the seeds, and corrected over all measures and pairs.
 */
export function checkEquivalence(measures: readonly ShownMeasure[], significance: number): ReportCheck[] {
  const stated = measures.flatMap((each) =>
    each.equivalence === undefined ? [] : [{ ...each, equivalence: each.equivalence }],
  );
  const judged = stated.filter((each) => whyNot(each) === undefined);
  const equal = holm(judged.map(({ equivalence }) => equivalence.p));
  const notWorse = holm(judged.map(({ equivalence }) => equivalence.notWorseP));
  return stated.map((each): ReportCheck => {
    const { system, dataset, measure, before, now, unit, higherIsBetter, difference, equivalence } = each;
    const check = { system, dataset, name: `equivalence ${measure}`, baseline: before, current: now, unit };
    const reason = whyNot(each);
    if (reason !== undefined) return { ...check, verdict: 'not compared', detail: reason };
    const at = judged.indexOf(each);
    const isBelow = (p: number | undefined) => p !== undefined && p < significance;
    const within = `${trimmed(100 * equivalence.margin)} points`;
    const why = equivalence.reason === undefined ? '' : `; ${equivalence.reason}`;
    const moved = `${signed(100 * (higherIsBetter ? difference : -difference))} points`;
    if (isBelow(equal[at])) {
      return { ...check, verdict: 'same', detail: `${moved}: within ${within} (${sure(equal[at])}${why})` };
    }
    if (isBelow(notWorse[at])) {
      const detail = `${moved}: not worse by ${within} (${sure(notWorse[at])}), and not shown to be within`;
      return { ...check, verdict: 'better', detail };
    }
    const detail = `${moved}: not shown to be less than ${within} worse (${sure(notWorse[at])}${why})`;
    return { ...check, verdict: 'worse', detail };
  });
}

function whyNot({ unit, paired }: ShownMeasure): string | undefined {
  if (unit !== 'share') return 'the margin of equivalence counts in shares, and this measure does not';
  return paired ? undefined : 'the two have no seed in common, and what seeds change is not in the test';
}
