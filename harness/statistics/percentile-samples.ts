/** How many samples a percentile takes before it is a figure. */

/** Ten samples beyond it: with fewer, p99 says which few of them happened to be slow. */
export const samplesForP99 = 1000;

/** Why there is no p99, in words; undefined where the samples are enough. */
export function p99Missing(samples: number): string | undefined {
  if (samples >= samplesForP99) return undefined;
  return `not measured: ${samples.toLocaleString('en-US')} samples`;
}
