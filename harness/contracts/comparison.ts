/** How one system differs from another, as reports show it. */
export interface ReportInterval {
  low: number;
  high: number;
}

/** A paired comparison over queries or over seeds; candidate - baseline throughout. */
export interface ReportTest {
  n: number;
  test: string;
  difference: number;
  interval?: ReportInterval;
  p?: number;
  correctedP?: number;
  /** Cohen's d_z or an odds ratio; null where it is infinite. */
  effectSize?: { name: string; value: number | null };
  wins: number;
  ties: number;
  losses: number;
  /** Beside the t-test over queries: the same question without its assumption of normal means. Not corrected. */
  randomization?: { p: number; permutations: number; exact: boolean };
  /** Whether the two are as good as equal, where a margin was stated. */
  equivalence?: ReportEquivalence;
  /** Why p is absent, or comes from another test than usual. */
  reason?: string;
}

/** Two one-sided tests that the difference lies within -margin and margin. */
export interface ReportEquivalence {
  margin: number;
  p?: number;
  correctedP?: number;
  /** At 90 %: within the margins where p is below 0.05. */
  interval?: ReportInterval;
  /** Why p is absent, or made in another way. */
  reason?: string;
}

/** Places from 1; both ends count. */
export interface ReportPlaces {
  best: number;
  worst: number;
}

/** Ties instead of ranks: the places of systems, by measure. */
export interface ReportRanks {
  /** How many pairs were tested and corrected together, by Holm. */
  familySize: number;
  measures: readonly {
    measure: string;
    /** In the order of the section's systems; those that could not be ranked are left out. */
    systems: readonly {
      system: string;
      /** That the tests leave open. */
      places: ReportPlaces;
      /** 95 %, by bootstrap over queries and seeds. */
      interval: ReportPlaces;
      /** Names of those that the tests do not tell from this one. */
      tied: readonly string[];
    }[];
  }[];
}

export interface ReportLatencyRatio {
  part: string;
  /** Median of the candidate over that of the baseline. */
  ratio: number;
  interval: ReportInterval;
  /** Whether the samples were paired by query. */
  paired: boolean;
}

/** One system against another. */
export interface ReportComparison {
  baseline: string;
  candidate: string;
  /** Of the queries; absent where it is all of them. */
  slice?: string;
  queryCount: number;
  correction: 'holm' | 'none';
  familySize: { overQueries: number; overSeeds: number };
  measures: readonly {
    measure: string;
    seeds: readonly (number | null)[];
    baseline: number;
    candidate: number;
    /** Each query with its mean over `seeds`; `seed` is the one seed, null where there are several or none. */
    overQueries: ReportTest & { seed: number | null };
    overSeeds: ReportTest;
  }[];
  latency: readonly ReportLatencyRatio[];
  /** Why latencies are not compared, or what to mind where they are. */
  latencyNotes: readonly string[];
}
