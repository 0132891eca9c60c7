/** Levels of a page: whether a value is there, and whether it goes on with a list. */

/** Bits of a level. */
export const bitsOf = (largest: number): number => 32 - Math.clz32(largest);

/** How many of `count` levels are the largest, of at most 3; the runs have been checked. */
export function presentIn(bytes: Uint8Array, from: number, count: number, largest: number): number {
  const width = bitsOf(largest);
  let at = from;
  let present = 0;
  for (let done = 0; done < count; ) {
    let header = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      header += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    const length = Math.floor(header / 2);
    if (header % 2 === 0) {
      if (bytes[at++] === largest) present += length;
      done += length;
      continue;
    }
    for (let i = 0; i < length * 8 && done < count; i++, done++) {
      // Of one bit or two, so that none lies in two bytes.
      const bit = i * width;
      if (((bytes[at + (bit >> 3)]! >> (bit & 7)) & ((1 << width) - 1)) === largest) present++;
    }
    at += length * width;
  }
  return present;
}
