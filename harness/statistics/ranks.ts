/** Which places the evidence leaves open to each of several systems: ties instead of ranks. */
import { type Stream, stream } from '../random.js';
import { holm } from './holm.js';
import { isBinary, mcnemar } from './mcnemar.js';
import { pairedT } from './paired-t.js';
import { pairedRandomization } from './randomization.js';
import { checkDraws, mean, quantile } from './summary.js';

/** What is ranked: the values of one system by one measure. */
export interface RankedValues {
  higherIsBetter: boolean;
  /** By seed: [Q], the queries of all systems in one order. */
  runs: readonly ArrayLike<number>[];
  /** Systems of the same seeds are drawn again with the same seeds; one without a seed has one run. */
  seeds: readonly (number | null)[];
}

/** From 1; both ends count. */
export interface Places {
  best: number;
  worst: number;
}

export interface Rank {
  /** Places that the tests leave open: behind those that are significantly better, before those that are significantly worse. */
  places: Places;
  /** Of the others, by their index: those that the tests do not tell from this one. */
  tied: readonly number[];
  /** 95 %, by bootstrap over queries and seeds. */
  interval: Places;
}

export interface RankOptions {
  significance?: number;
  level?: number;
  resamples?: number;
  permutations?: number;
  randomSeed?: number;
}

const defaults = { significance: 0.05, level: 0.95, resamples: 1000, permutations: 1000, randomSeed: 0 };

export interface Ranking {
  /** By measure, then by system, both in the order given. */
  ranks: readonly (readonly Rank[])[];
  /** How many pairs were tested and corrected together. */
  familySize: number;
}

/**
 * Tests every pair of systems by every measure, over queries, each with its mean over the system's seeds: McNemar's exact test
 * where there is one seed and all values are 0 or 1, else the paired t-test. All p are corrected together by Holm, so that
 * with a chance of 95 % no pair is told apart by luck, and the true place of every system is among the places left open to
 * it (Mohamad, Goeman and van Zwet, "An improvement of Tukey's HSD with application to ranking institutions", arXiv 1708.02428).
 *
 * The interval is a bootstrap of the place itself: queries are drawn with replacement, the same for all systems, and the
 * seeds of each system too, those of equal seeds alike. Equal means share all of their places. Of few seeds it is too
 * narrow, by a factor of about sqrt((n - 1) / n) for n.
 * @param measures by measure: the systems, each with its values
 */
export function rankSystems(
  measures: readonly (readonly RankedValues[])[],
  options: RankOptions = {},
): Ranking {
  const settings = { ...defaults, ...options };
  checkDraws(settings.resamples, 'resamples');
  const centres = measures.map((systems) => systems.map(meanOverSeeds));
  const pairs = measures.flatMap((systems, m) =>
    systems.flatMap((_, a) =>
      systems.slice(a + 1).map((_other, i) => ({ m, a, b: a + 1 + i, p: 0 as number | undefined })),
    ),
  );
  for (const pair of pairs) pair.p = pairP(centres[pair.m]![pair.a]!, centres[pair.m]![pair.b]!, settings);
  const corrected = holm(pairs.map(({ p }) => p));
  const told = pairs.filter((_, i) => corrected[i] !== undefined && corrected[i]! < settings.significance);
  const intervals = bootstrapPlaces(measures, settings);
  const ranks = measures.map((systems, m) => {
    const own = told.filter((pair) => pair.m === m);
    const score = systems.map(
      ({ higherIsBetter }, s) => (higherIsBetter ? 1 : -1) * mean(centres[m]![s]!.values),
    );
    return systems.map((_, s): Rank => {
      const others = own.flatMap(({ a, b }) => (a === s ? [b] : b === s ? [a] : []));
      const better = others.filter((other) => score[other]! > score[s]!).length;
      const tied = systems.flatMap((_system, other) =>
        other === s || others.includes(other) ? [] : [other],
      );
      return {
        places: { best: 1 + better, worst: systems.length - (others.length - better) },
        tied,
        interval: intervals[m]![s]!,
      };
    });
  });
  return { ranks, familySize: pairs.filter(({ p }) => p !== undefined).length };
}

interface Centre {
  /** [Q] */
  values: Float64Array;
  binary: boolean;
}

function meanOverSeeds({ runs }: RankedValues): Centre {
  const values = Float64Array.from(runs[0]!, (_, q) => mean(runs.map((run) => run[q]!)));
  return { values, binary: runs.length === 1 && isBinary(values) };
}

/** As `compareFamily` tests over queries, without all that it tells beside p. */
function pairP(a: Centre, b: Centre, settings: Required<RankOptions>): number | undefined {
  if (a.binary && b.binary) return mcnemar(a.values, b.values).p;
  const t = pairedT(a.values, b.values);
  if (t.p !== undefined || t.n < 2) return t.p;
  const { permutations, randomSeed: seed } = settings;
  return pairedRandomization(a.values, b.values, { permutations, seed }).p;
}

/** By measure and system. */
function bootstrapPlaces(
  measures: readonly (readonly RankedValues[])[],
  { resamples, level, randomSeed }: Required<RankOptions>,
): Places[][] {
  const queries = measures[0]?.[0]?.runs[0]?.length ?? 0;
  const draws = stream(randomSeed, 'ranks');
  const places = measures.map((systems) =>
    systems.map(() => ({ best: [] as number[], worst: [] as number[] })),
  );
  const times = new Float64Array(queries);
  for (let b = 0; b < resamples; b++) {
    countDraws(times, draws);
    const drawnSeeds = new Map<string, Float64Array>();
    for (const [m, systems] of measures.entries()) {
      const scores = systems.map((system) => {
        const key = JSON.stringify(system.seeds);
        const seedTimes = drawnSeeds.get(key) ?? countDraws(new Float64Array(system.runs.length), draws);
        drawnSeeds.set(key, seedTimes);
        return (system.higherIsBetter ? 1 : -1) * weighted(system.runs, seedTimes, times);
      });
      for (const [s, score] of scores.entries()) {
        places[m]![s]!.best.push(1 + scores.filter((other) => other > score).length);
        places[m]![s]!.worst.push(scores.filter((other) => other >= score).length);
      }
    }
  }
  const tail = (1 - level) / 2;
  const sorted = (values: number[]) => Float64Array.from(values).sort();
  return places.map((systems) =>
    systems.map(({ best, worst }) => ({
      best: Math.floor(quantile(sorted(best), tail)),
      worst: Math.ceil(quantile(sorted(worst), 1 - tail)),
    })),
  );
}

/** How often each of n is drawn in n draws with replacement; written into `times`. */
function countDraws(times: Float64Array, draws: Stream): Float64Array {
  const n = times.length;
  times.fill(0);
  for (let i = 0; i < n; i++) times[draws.integer(n)]!++;
  return times;
}

/** The sum over queries and seeds as often as each was drawn: in the same order for every system, so that equals stay equal. */
function weighted(runs: readonly ArrayLike<number>[], seedTimes: Float64Array, times: Float64Array): number {
  let sum = 0;
  for (const [r, run] of runs.entries()) {
    if (seedTimes[r] === 0) continue;
    let own = 0;
    for (let q = 0; q < times.length; q++) own += times[q]! * run[q]!;
    sum += seedTimes[r]! * own;
  }
  return sum / runs.length;
}
