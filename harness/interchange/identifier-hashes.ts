/**
 * Whether ids come twice, by hashes of them that are sorted: a set of millions of texts takes four times as long, for it looks for
 * each of them all over the memory, and the longer the more it holds.
 */

/** 53 bits of an id: two rounds of FNV-1a with different starts. */
export function hashOf(id: string): number {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b);
    b = (b << 13) | (b >>> 19);
  }
  a = Math.imul(a ^ (a >>> 16), 0x85ebca6b);
  b = Math.imul(b ^ (b >>> 15), 0xc2b2ae35);
  return ((a ^ (b >>> 7)) >>> 0) * 2097152 + ((b ^ (a >>> 13)) >>> 11);
}

/** The hashes that come more than once; sorts them where they are. */
export function repeatedIn(hashes: Float64Array): Set<number> {
  hashes.sort();
  const repeated = new Set<number>();
  for (let i = 1; i < hashes.length; i++) if (hashes[i] === hashes[i - 1]) repeated.add(hashes[i]!);
  return repeated;
}

export const areDistinct = (ids: readonly string[]): boolean => firstRepeated(ids) === undefined;

/** The first id that was there before; undefined where they are distinct. */
export function firstRepeated(ids: readonly string[]): string | undefined {
  const hashes = new Float64Array(ids.length);
  for (let i = 0; i < ids.length; i++) hashes[i] = hashOf(ids[i]!);
  if (repeatedIn(hashes).size === 0) return undefined;
  const seen = new Set<string>();
  // One look-up finds both: those seen are as many as those before, or this one was there.
  return ids.find((id, i) => seen.add(id).size === i);
}
