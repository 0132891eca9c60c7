/** T5's relative positions. */

/**
 * The bucket of every pair of positions (Raffel et al. 2020, section 2.1; bidirectional): half of the buckets for
 * keys after the query, and in each half one bucket per distance at first, then ever wider ones up to `maxDistance`.
 * @returns [T * T], row by query
 */
export function relativeBuckets(tokens: number, buckets: number, maxDistance: number): Int32Array {
  const half = Math.floor(buckets / 2);
  const exact = Math.floor(half / 2);
  const bucketOf = (distance: number) => {
    if (distance < exact) return distance;
    const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
    return Math.min(half - 1, exact + Math.trunc(share * (half - exact)));
  };
  const result = new Int32Array(tokens * tokens);
  for (let query = 0; query < tokens; query++) {
    for (let key = 0; key < tokens; key++) {
      result[query * tokens + key] = (key > query ? half : 0) + bucketOf(Math.abs(key - query));
    }
  }
  return result;
}
