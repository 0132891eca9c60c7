/** Arrays that grow while they are filled. */

/** The array where it has so many places; else a copy with room for them, at least twice as long, so that few are made. */
export function grown<T extends Uint8Array | Uint32Array>(array: T, places: number): T {
  if (places <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(Math.max(places, 2 * array.length));
  larger.set(array);
  return larger;
}
