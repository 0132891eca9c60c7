/**
 * Dropout masks from the seeded stream. Every text of a batch has a stream of its own, named by step, side and place
 * in the batch, and its masks are drawn for the length that the batch is padded to. Where its chunk is padded to fewer tokens, they
 * are cut to these: of [T, D] the first rows, of [heads, T, T] the first rows and columns of each head. So a mask does not depend on how the
 * batch is cut into chunks, nor on the engine.
 */
import type { DropoutSite } from '../model/encoder.js';
import { type Stream, stream } from '../random.js';
import { sizeOf } from '../tensor/engine.js';
import { flagsPerWord, fullWord, wordsFor } from '../tensor/flag-words.js';

/** What masks are drawn for: a part of one side of a batch. */
export interface MaskDraw {
  /** Of that part: the first axis is its number of texts. */
  sites: readonly DropoutSite[];
  /** The same at the length that the whole batch is padded to, which masks are drawn for; `sites` where absent. */
  drawnFor?: readonly DropoutSite[];
  seed: number;
  step: number;
  side: 'query' | 'passage';
  /** Place in the whole batch of each text of the part. */
  places: Int32Array;
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

/** The values of a mask that are kept when it is cut: stretches of one length, and where each begins in the whole. */
interface Stretches {
  starts: Int32Array;
  length: number;
}

/** @param whole shape of a text's mask as it is drawn @param part of it the first so many along each axis */
function stretchesOf(whole: readonly number[], part: readonly number[]): Stretches {
  let starts = [0];
  let [length, stride] = [1, 1];
  for (let axis = whole.length - 1; axis >= 0; axis--) {
    const kept = part[axis]!;
    // As long as nothing further in is cut, what is kept stands in one piece.
    if (length === stride) length *= kept;
    else starts = Array.from({ length: kept }, (_, i) => starts.map((start) => start + i * stride)).flat();
    stride *= whole[axis]!;
  }
  return { starts: Int32Array.from(starts), length };
}

/**
 * Draws which values drop; only those cost a random number.
 * @param keep all 1 where the kept values stand: bytes, or words of flags
 * @param first its element in which the first value stands
 * @param size how many values are drawn for
 * @param stretches which of them are kept
 */
function drop(
  keep: Uint8Array | Int32Array,
  first: number,
  size: number,
  { starts, length }: Stretches,
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
  let stretch = 0;
  let from = starts[0]!;
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
    while (at >= from + length) {
      stretch++;
      from = stretch < starts.length ? starts[stretch]! : size;
    }
    if (at < from) continue;
    const place = stretch * length + at - from;
    if (bytes !== undefined) bytes[first + place] = 0;
    else {
      const word = (place / flagsPerWord) | 0;
      words![first + word]! &= ~(1 << (place - word * flagsPerWord));
    }
  }
  random.state = Int32Array.of(a, b, c, d);
}

/** @param perText elements of a site's mask for each of its texts */
function drawn<T extends Uint8Array | Int32Array>(
  { sites, drawnFor = sites, seed, step, side, places }: MaskDraw,
  make: (elements: number) => T,
  perText: (values: number) => number,
): T[] {
  const ofText = ({ shape }: DropoutSite) => shape.slice(1);
  const parts = sites.map((site) => perText(sizeOf(ofText(site))));
  const sizes = drawnFor.map((site) => sizeOf(ofText(site)));
  const stretches = sites.map((site, i) => stretchesOf(ofText(drawnFor[i]!), ofText(site)));
  const masks = parts.map((part) => make(places.length * part));
  for (const [text, place] of places.entries()) {
    const random = stream(seed, 'dropout', step, side, place);
    for (const [i, { rate }] of sites.entries())
      drop(masks[i]!, text * parts[i]!, sizes[i]!, stretches[i]!, random, rate);
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
