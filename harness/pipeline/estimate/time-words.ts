/** Times in the words of an estimate. */

/** `1.9 s`, `0.31 ms` */
export function spell(seconds: number): string {
  return seconds < 1 ? `${Number((1000 * seconds).toPrecision(2))} ms` : `${seconds.toFixed(1)} s`;
}
