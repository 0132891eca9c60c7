/**
 * Dropout masks from the seeded stream. Every text of a batch has a stream of its own, named by step, side and place
 * in the batch, so that a mask does not depend on how the batch is cut into chunks, nor on the engine.
 */
import type { DropoutSite } from '../model/encoder.js';
import { type Stream, stream } from '../random.js';
import { sizeOf } from '../tensor/engine.js';

/** Draws which values stay: the gaps between dropped ones are geometric, so only those that drop cost a number. */
function fill(keep: Uint8Array, random: Stream, rate: number): void {
  keep.fill(1);
  if (rate <= 0) return;
  const perGap = 1 / Math.log1p(-rate);
  for (let at = -1; ; ) {
    at += 1 + Math.floor(Math.log((random.bits() + 0.5) / 4294967296) * perGap);
    if (at >= keep.length) return;
    keep[at] = 0;
  }
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
