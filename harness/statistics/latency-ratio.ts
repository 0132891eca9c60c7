/** Whether a system is faster: latencies are compared as ratios, which mean the same on a fast and on a slow machine. */
import { type Bootstrap, type BootstrapOptions, bootstrapRatio } from './bootstrap.js';

export interface LatencyComparison {
  /** Samples of the baseline and of the candidate. */
  baselineCount: number;
  candidateCount: number;
  paired: boolean;
  /** median(candidate) / median(baseline): what a typical query sees; below 1 the candidate is faster. */
  ratioOfMedians: Bootstrap;
  /** mean(candidate) / mean(baseline): what all queries together cost. */
  ratioOfMeans: Bootstrap;
}

/**
 * Both ratios with bootstrap intervals (see `bootstrapRatio`). No p-value is given: an interval of a ratio says how much
 * slower, which "slower at all" does not. Latencies of different devices must not be compared; the caller knows them.
 * @param baselineMs at least 2 latencies above 0
 * @param candidateMs at least 2 latencies above 0; of the same queries in the same order where `paired`
 * @throws BenchError RECORD_INVALID on latencies that are not finite and above 0, too few, or pairs of unequal length
 */
export function compareLatency(
  baselineMs: ArrayLike<number>,
  candidateMs: ArrayLike<number>,
  { paired, ...options }: BootstrapOptions & { paired: boolean },
): LatencyComparison {
  return {
    baselineCount: baselineMs.length,
    candidateCount: candidateMs.length,
    paired,
    ratioOfMedians: bootstrapRatio(baselineMs, candidateMs, { ...options, paired, of: 'median' }),
    ratioOfMeans: bootstrapRatio(baselineMs, candidateMs, { ...options, paired, of: 'mean' }),
  };
}
