/** Which of two systems is better, by how much and how sure: every measure, over queries and over seeds. */
import { type Equivalence, equivalence } from './equivalence.js';
import { holm } from './holm.js';
import { isBinary } from './mcnemar.js';
import { compareBinary, compareGraded, compareSeeds, type PairedComparison } from './paired-comparison.js';
import { mean, type Summary, summarize } from './summary.js';
import { type AlignedMeasure, alignSystems, byQuery, type SystemValues } from './systems.js';

export type { PairedComparison } from './paired-comparison.js';
export type { SeedValues, SystemValues } from './systems.js';

export interface CompareOptions {
  /** Which measures; all where absent. */
  measures?: readonly string[];
  /** Measures where less is better, such as an average rank; only wins and losses turn on it. */
  lowerIsBetter?: readonly string[];
  /** Pair the seeds both systems have, instead of refusing where they differ. */
  commonSeeds?: boolean;
  correction?: 'holm' | 'none';
  /** Margin within which the two are tested to be as good as equal, in the measure's unit; not tested where absent. */
  equivalence?: number;
  level?: number;
  permutations?: number;
  resamples?: number;
  /** Seeds the random signs and the resamples. */
  randomSeed?: number;
}

const defaults = {
  lowerIsBetter: [],
  commonSeeds: false,
  correction: 'holm',
  level: 0.95,
  permutations: 10_000,
  resamples: 2000,
  randomSeed: 0,
} as const satisfies CompareOptions;

type Settings = CompareOptions & Required<Pick<CompareOptions, keyof typeof defaults>>;

export interface MeasureComparison {
  measure: string;
  /** 'binary' where every value of both systems is 0 or 1. */
  kind: 'binary' | 'graded';
  seeds: readonly number[];
  /** Mean and standard deviation over seeds. */
  baseline: Summary;
  candidate: Summary;
  /** Paired by query, each query with its mean over the seeds; `seed` where there is one, null where there are several. */
  overQueries: PairedComparison & { seed: number | null; equivalence?: Equivalence };
  /** The means of the seeds, paired by seed: the paper's test. */
  overSeeds: PairedComparison & { equivalence?: Equivalence };
}

export interface SystemComparison {
  baseline: string;
  candidate: string;
  queryCount: number;
  correction: 'holm' | 'none';
  /** How many p-values were corrected together, over queries and over seeds; the two are families of their own. */
  familySize: { overQueries: number; overSeeds: number };
  measures: MeasureComparison[];
}

/**
 * Compares one candidate with a baseline, every measure being one member of the family (see `compareFamily`).
 * @throws BenchError RECORD_INVALID where the two cannot be paired; the message says what differs
 */
export function compareSystems(
  baseline: SystemValues,
  candidate: SystemValues,
  options: CompareOptions = {},
): SystemComparison {
  return compareFamily(baseline, [candidate], options)[0]!;
}

/**
 * Compares candidates with one baseline, and corrects over the whole family: all measures of all candidates.
 *
 * Over queries, each query has its mean over the seeds that both systems have. With one seed the test is chosen by the
 * values: McNemar's exact test where all are 0 or 1 (top-k accuracy), else the paired t-test with the randomization test
 * beside it (MRR, nDCG). Means over several seeds are no longer 0 or 1 and take the t-test, whatever the measure. The
 * interval of the difference is a bootstrap over queries. Over seeds, the mean over queries of each seed is one value and
 * the test is the paired t-test. The two answer different questions: whether these trained models differ on other queries
 * like these, and whether the two ways of training differ whatever the seed.
 * @returns one comparison per candidate, in their order
 * @throws BenchError RECORD_INVALID where a pair cannot be made: the message names the queries, seeds, dataset or
 *   value at fault; CONFIG_INVALID for an option out of range
 */
export function compareFamily(
  baseline: SystemValues,
  candidates: readonly SystemValues[],
  options: CompareOptions = {},
): SystemComparison[] {
  // A setting that is there but undefined is one that was not given.
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: Settings = { ...defaults, ...given };
  const { correction } = settings;
  const aligned = candidates.map((candidate) =>
    alignSystems(baseline, candidate, settings.measures, settings.commonSeeds),
  );
  const measures = aligned.map((list) => list.map((measure) => compareMeasure(measure, settings)));
  const overQueries = measures.flat().map((measure) => measure.overQueries);
  const overSeeds = measures.flat().map((measure) => measure.overSeeds);
  for (const over of [overQueries, overSeeds]) {
    // A claim of its own, and a family of its own.
    correct(
      over.flatMap((each) => each.equivalence ?? []),
      correction,
    );
  }
  const familySize = {
    overQueries: correct(overQueries, correction),
    overSeeds: correct(overSeeds, correction),
  };
  return candidates.map((candidate, i) => ({
    baseline: baseline.name,
    candidate: candidate.name,
    queryCount: baseline.queryIds.length,
    correction,
    familySize,
    measures: measures[i]!,
  }));
}

/** Fills in `correctedP` and returns how many p-values the family has. */
export function correct(
  family: readonly { p: number | undefined; correctedP: number | undefined }[],
  correction: 'holm' | 'none',
): number {
  const ps = family.map(({ p }) => p);
  const corrected = correction === 'holm' ? holm(ps) : ps;
  for (const [i, comparison] of family.entries()) comparison.correctedP = corrected[i];
  return ps.filter((p) => p !== undefined).length;
}

function compareMeasure(aligned: AlignedMeasure, settings: Settings): MeasureComparison {
  const { measure, seeds } = aligned;
  const lower = settings.lowerIsBetter.includes(measure);
  const binary = [...aligned.baseline, ...aligned.candidate].every(isBinary);
  const baseline = aligned.baseline.map((values) => mean(values));
  const candidate = aligned.candidate.map((values) => mean(values));
  const one = seeds.length === 1;
  const compareQueries = binary && one ? compareBinary : compareGraded;
  const queries = [byQuery(aligned.baseline), byQuery(aligned.candidate)] as const;
  const margin = settings.equivalence;
  const tested = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    margin === undefined ? {} : { equivalence: equivalence(a, b, margin, lower) };
  return {
    measure,
    kind: binary ? 'binary' : 'graded',
    seeds,
    baseline: summarize(baseline),
    candidate: summarize(candidate),
    overQueries: {
      seed: one ? seeds[0]! : null,
      ...compareQueries(...queries, lower, settings),
      ...tested(...queries),
    },
    overSeeds: { ...compareSeeds(baseline, candidate, lower, settings), ...tested(baseline, candidate) },
  };
}
