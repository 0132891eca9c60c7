/** Arrays that grow while they are filled. */

/**
 * The array where it has so many places; else a copy with room for them, at least twice as long, so that few are made.
 * @param most places that it never needs more of
 */
export function grown<T extends Uint8Array | Uint32Array>(
  array: T,
  places: number,
  most = Number.POSITIVE_INFINITY,
): T {
  if (places <= array.length) return array;
  const length = Math.max(places, Math.min(most, 2 * array.length));
  const larger = new (array.constructor as new (length: number) => T)(length);
  larger.set(array);
  return larger;
}
