/**
 * Dropout masks from the seeded stream. Every text of a batch has a stream of its own, named by step, side and place
 * in the batch, so that a mask does not depend on how the batch is cut into chunks, nor on the engine.
 */
import type { DropoutSite } from '../model/encoder.js';
import { type Stream, stream } from '../random.js';
import { sizeOf } from '../tensor/engine.js';
import { flagsPerWord, fullWord, wordsFor } from '../tensor/flag-words.js';

/** What masks are drawn for: a part of one side of a batch. */
export interface MaskDraw {
  /** Of that part: the first axis is its number of texts. */
  sites: readonly DropoutSite[];
  seed: number;
  step: number;
  side: 'query' | 'passage';
  /** Place in the whole batch of the part's first text. */
  first: number;
}

/** In the table of gaps: the lower bits decide, or the gap is larger. */
const undecided = 255;

/** How many values stay before the next one is dropped: geometric, by inversion of 32 random bits. */
class Gaps {
  /** By the upper 16 of the bits. Nearly all draws are spared their logarithm. */
  readonly table = new Uint8Array(1 << 16);
  readonly #perGap: number;

  /** @param rate in (0, 1) */
  constructor(rate: number) {
    this.#perGap = 1 / Math.log1p(-rate);
    for (let i = 0; i < this.table.length; i++) {
      const [least, most] = [this.exact(i * 65536), this.exact(i * 65536 + 65535)];
      this.table[i] = least === most ? Math.min(least, undecided) : undecided;
    }
  }

  exact(bits: number): number {
    return Math.floor(Math.log((bits + 0.5) / 4294967296) * this.#perGap);
  }
}

const gapsByRate = new Map<number, Gaps>();

/**
 * Draws which values drop; only those cost a random number.
 * @param keep all 1 where the values stand: bytes, or words of flags
 * @param first its element in which the first value stands
 * @param size how many values there are
 */
function drop(
  keep: Uint8Array | Int32Array,
  first: number,
  size: number,
  random: Stream,
  rate: number,
): void {
  if (rate <= 0) return;
  const gaps = gapsByRate.get(rate) ?? new Gaps(rate);
  gapsByRate.set(rate, gaps);
  const { table } = gaps;
  const bytes = keep instanceof Uint8Array ? keep : undefined;
  const words = keep instanceof Int32Array ? keep : undefined;
  // `random.bits()` written out: a call for each number reads and writes the stream's state, which takes as long as all else.
  const { state } = random;
  let a = state[0]! | 0;
  let b = state[1]! | 0;
  let c = state[2]! | 0;
  let d = state[3]! | 0;
  for (let at = -1; ; ) {
    const x = Math.imul(b, 5);
    const bits = Math.imul((x << 7) | (x >>> 25), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = (d << 11) | (d >>> 21);
    const gap = table[bits >>> 16]!;
    at += 1 + (gap === undecided ? gaps.exact(bits >>> 0) : gap);
    if (at >= size) break;
    if (bytes !== undefined) bytes[first + at] = 0;
    else {
      const word = (at / flagsPerWord) | 0;
      words![first + word]! &= ~(1 << (at - word * flagsPerWord));
    }
  }
  random.state = Int32Array.of(a, b, c, d);
}

/** @param perText elements of a site's mask for each of its texts */
function drawn<T extends Uint8Array | Int32Array>(
  { sites, seed, step, side, first }: MaskDraw,
  make: (elements: number) => T,
  perText: (values: number) => number,
): T[] {
  const texts = sites[0]?.shape[0] ?? 0;
  const sizes = sites.map(({ shape }) => sizeOf(shape.slice(1)));
  const masks = sizes.map((size) => make(texts * perText(size)));
  for (let text = 0; text < texts; text++) {
    const random = stream(seed, 'dropout', step, side, first + text);
    for (const [i, { rate }] of sites.entries())
      drop(masks[i]!, text * perText(sizes[i]!), sizes[i]!, random, rate);
  }
  return masks;
}

/** One mask per site, a byte for each value: 1 where it stays. */
export const dropoutMasks = (draw: MaskDraw): Uint8Array[] =>
  drawn(
    draw,
    (bytes) => new Uint8Array(bytes).fill(1),
    (values) => values,
  );

/** The same packed, each text's values of a site padded to whole words (tensor/flag-words.ts). */
export const packedMasks = (draw: MaskDraw): Int32Array[] =>
  drawn(draw, (words) => new Int32Array(words).fill(fullWord), wordsFor);
