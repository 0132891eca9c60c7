/** Hashes of bytes, for tables in memory alone. */

/** FNV-1a of 32 bits (Fowler, Noll and Vo) of the bytes from `start` to `end`. */
export function fnv1a(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  return h >>> 0;
}

/** MurmurHash3's finalizer: of 32 bits, each of which then depends on all of them. */
export function mixed(bits: number): number {
  let h = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
