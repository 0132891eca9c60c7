/** Correction for having tested more than one thing. */

/**
 * Holm's step-down correction (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
 * Statistics 6, 1979): with p(1) <= ... <= p(m), corrected p(i) = max over j <= i of min(1, (m - j + 1) p(j)). Testing the
 * corrected values at a level keeps the chance of any false finding in the family below it, whatever the dependence.
 * R's p.adjust(p, 'holm') gives the same.
 * @param ps p-values in any order; undefined where a test could not judge: it is no test, so it does not count in m
 * @returns the corrected values in the same order, undefined where they were
 */
export function holm(ps: readonly (number | undefined)[]): (number | undefined)[] {
  const judged = ps.flatMap((p, index) => (p === undefined ? [] : [{ p, index }]));
  for (const { p } of judged) if (!(p >= 0 && p <= 1)) throw new RangeError(`p ${p}`);
  judged.sort((a, b) => a.p - b.p);
  const corrected: (number | undefined)[] = ps.map(() => undefined);
  let largest = 0;
  judged.forEach(({ p, index }, rank) => {
    largest = Math.max(largest, Math.min(1, (judged.length - rank) * p));
    corrected[index] = largest;
  });
  return corrected;
}
