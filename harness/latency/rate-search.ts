/** The largest rate at which a system stays under a bound, by trying rates. */

export interface Trial {
  /** Queries per second. */
  ratePerSecond: number;
  /** Null where the samples were too few. */
  p99Ms: number | null;
  /** Whether p99 was under the bound and the system kept up. */
  passed: boolean;
}

export interface RateFound {
  /**
   * `rate`: the largest that passed of those tried. `above`: the highest tried passed. `none`: the lowest failed, or a query alone
   * takes longer than the bound.
   */
  found: 'rate' | 'above' | 'none';
  /** Null where none passed. */
  ratePerSecond: number | null;
  /** The rate found and the lowest that failed above it lie no further apart: 0.05 for 5 %. */
  resolution: number;
  /** In the order in which they were tried. */
  tried: readonly Trial[];
}

/** Rates that are tried lie so near at the end. */
const resolution = 0.05;
/** The lowest rate that is tried, as a share of the highest. */
const lowestShare = 0.05;

/**
 * Halves the range between what passes and what fails; low rates, which take longest to try, only where it has to. It is told from
 * outside how each rate did, so that systems can take turns between the steps of their searches.
 */
export class RateSearch {
  readonly #tried: Trial[] = [];
  #low: number;
  #high: number;

  /** @param highest queries per second: as many as are answered where somebody always waits */
  constructor(readonly highest: number) {
    this.#low = lowestShare * highest;
    this.#high = highest;
  }

  /** The rate to try next; undefined where all is known. */
  next(): number | undefined {
    if (this.#tried.length === 0) return this.highest;
    if (this.#tried[0]!.passed) return undefined;
    if (this.#high / this.#low > 1 + resolution) return (this.#low + this.#high) / 2;
    const lowest = lowestShare * this.highest;
    return this.#low === lowest && !this.#tried.some(({ ratePerSecond }) => ratePerSecond === lowest)
      ? lowest
      : undefined;
  }

  tell(trial: Trial): void {
    this.#tried.push(trial);
    if (trial.passed) this.#low = trial.ratePerSecond;
    else this.#high = trial.ratePerSecond;
  }

  found(): RateFound {
    const passed = this.#tried.filter((trial) => trial.passed).map(({ ratePerSecond }) => ratePerSecond);
    const base = { resolution, tried: this.#tried };
    if (passed.length === 0) return { found: 'none', ratePerSecond: null, ...base };
    const ratePerSecond = Math.max(...passed);
    return { found: ratePerSecond === this.highest ? 'above' : 'rate', ratePerSecond, ...base };
  }
}
