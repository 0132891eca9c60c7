/** Numbers on the command line of a comparison. */

/** @throws RangeError for what is no whole number from 1 @param what it counts */
export function wholeCount(what: string, text: string | number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new RangeError(`${what} ${text}: a whole number from 1`);
}
