/**
 * Dropout masks from the seeded stream. Every text of a batch has a stream of its own, named by step, side and place
 * in the batch, so that a mask does not depend on how the batch is cut into chunks, nor on the engine.
 */
import type { DropoutSite } from '../model/encoder.js';
import { type Stream, stream } from '../random.js';
import { sizeOf } from '../tensor/engine.js';

/** How many values stay before the next one is dropped: geometric, by inversion of 32 random bits. */
class Gaps {
  /** By the upper 16 of the bits; -1 where the lower ones decide. Nearly all draws are spared their logarithm. */
  readonly #table = new Int32Array(1 << 16);
  readonly #perGap: number;

  /** @param rate in (0, 1) */
  constructor(rate: number) {
    this.#perGap = 1 / Math.log1p(-rate);
    for (let i = 0; i < this.#table.length; i++) {
      const [least, most] = [this.#exact(i * 65536), this.#exact(i * 65536 + 65535)];
      this.#table[i] = least === most ? least : -1;
    }
  }

  of(bits: number): number {
    const gap = this.#table[bits >>> 16]!;
    return gap >= 0 ? gap : this.#exact(bits);
  }

  #exact(bits: number): number {
    return Math.floor(Math.log((bits + 0.5) / 4294967296) * this.#perGap);
  }
}

const gapsByRate = new Map<number, Gaps>();

/** Draws which values stay; only those that drop cost a random number. */
function fill(keep: Uint8Array, random: Stream, rate: number): void {
  keep.fill(1);
  if (rate <= 0) return;
  const gaps = gapsByRate.get(rate) ?? new Gaps(rate);
  gapsByRate.set(rate, gaps);
  for (let at = gaps.of(random.bits()); at < keep.length; at += 1 + gaps.of(random.bits())) keep[at] = 0;
}

/**
 * One mask per site for a part of a batch, 1 where a value stays.
 * @param sites of that part: the first axis is its number of texts
 * @param first place in the whole batch of the part's first text
 */
export function dropoutMasks(
  sites: readonly DropoutSite[],
  seed: number,
  step: number,
  side: 'query' | 'passage',
  first: number,
): Uint8Array[] {
  const masks = sites.map(({ shape }) => new Uint8Array(sizeOf(shape)));
  const texts = sites[0]?.shape[0] ?? 0;
  for (let text = 0; text < texts; text++) {
    const random = stream(seed, 'dropout', step, side, first + text);
    for (const [i, { rate }] of sites.entries()) {
      const mask = masks[i]!;
      const size = mask.length / texts;
      fill(mask.subarray(text * size, (text + 1) * size), random, rate);
    }
  }
  return masks;
}
