/** Mutations of bytes, whatever they are: bits flipped, spans cut and copied, lengths that lie, floats that are none. */
import type { Stream } from '../../harness/random.js';

const ints = [
  0,
  1,
  2,
  3,
  127,
  128,
  255,
  256,
  32767,
  65535,
  65536,
  1 << 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const longs = [
  0n,
  1n,
  255n,
  1n << 20n,
  1n << 31n,
  1n << 32n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const floats = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, 1e-45];

/** One mutation after another, each with half the chance of the one before. */
export function several(
  bytes: Buffer,
  random: Stream,
  once: (bytes: Buffer, random: Stream) => Buffer,
): Buffer {
  let made = bytes;
  do made = once(made, random);
  while (random.integer(2) === 0);
  return made;
}

/** A place, half of the time near the beginning, where headers are. */
export function placeIn(length: number, random: Stream): number {
  const within = random.integer(2) === 0 ? Math.min(length, 64) : length;
  return within === 0 ? 0 : random.integer(within);
}

export function span(length: number, random: Stream): [from: number, to: number] {
  const from = placeIn(length, random);
  const most = random.integer(4) === 0 ? length - from : Math.min(16, length - from);
  return [from, from + (most === 0 ? 0 : 1 + random.integer(most))];
}

export const spliced = (bytes: Buffer, from: number, to: number, ...between: Uint8Array[]): Buffer =>
  Buffer.concat([bytes.subarray(0, from), ...between, bytes.subarray(to)]);

export function mutateBytes(bytes: Buffer, random: Stream): Buffer {
  const at = placeIn(bytes.length, random);
  const [from, to] = span(bytes.length, random);
  switch (random.integer(11)) {
    case 0: // a bit flipped
      return patched(bytes, at, (copy) => copy.writeUInt8(copy[at]! ^ (1 << random.integer(8)), at), 1);
    case 1: // another byte
      return patched(bytes, at, (copy) => copy.writeUInt8(random.integer(256), at), 1);
    case 2: // cut short
      return bytes.subarray(0, random.integer(bytes.length + 1));
    case 3: // a span gone
      return spliced(bytes, from, to);
    case 4: // a span copied elsewhere
      return spliced(bytes, at, at, bytes.subarray(from, to));
    case 5: // a span over another
      return spliced(bytes, at, Math.min(bytes.length, at + to - from), bytes.subarray(from, to));
    case 6: // a length that lies, of 4 bytes, or of 8
      if (random.integer(2) === 0)
        return patched(bytes, at & ~3, (copy) => copy.writeUInt32LE(random.choose(ints), at & ~3), 4);
      return patched(bytes, at & ~7, (copy) => copy.writeBigUInt64LE(random.choose(longs), at & ~7), 8);
    case 7: // a number that is somewhat another
      return patched(
        bytes,
        at,
        (copy) => copy.writeUInt8((copy[at]! + 255 + 2 * random.integer(2)) & 255, at),
        1,
      );
    case 8: // a float that is none
      return patched(bytes, at & ~3, (copy) => copy.writeFloatLE(random.choose(floats), at & ~3), 4);
    case 9: // something behind the end
      return Buffer.concat([bytes, Buffer.alloc(1 + random.integer(64), random.integer(2) * 255)]);
    default: // a run of one byte
      return spliced(bytes, from, to, Buffer.alloc(to - from, random.integer(256)));
  }
}

/** A copy with a change of `width` bytes at a place; the bytes themselves where it does not fit. */
function patched(bytes: Buffer, at: number, change: (copy: Buffer) => void, width: number): Buffer {
  if (at + width > bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}
