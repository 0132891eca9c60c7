/** What BERT's and T5's attention share: heads, the padding mask, and dropout masks handed out in order. */
import { dropout } from '../tensor/layers.js';
import * as tf from '../tensor/operations.js';
import type { DropoutSite } from './encoder.js';

type Tensor = tf.Tensor;

/** The most negative float32, which transformers adds to the scores of padding. */
const lowest = -3.4028234663852886e38;

/** @param rows [B * T, H * K] @returns [B, H, T, K] */
export function splitHeads(rows: Tensor, batch: number, tokens: number, heads: number): Tensor {
  const size = rows.shape[1]! / heads;
  return tf.transpose(tf.reshape(rows, [batch, tokens, heads, size]), [0, 2, 1, 3]);
}

/** @param parts [B, H, T, K] @returns [B * T, H * K] */
export function joinHeads(parts: Tensor): Tensor {
  const [batch, heads, tokens, size] = parts.shape as [number, number, number, number];
  return tf.reshape(tf.transpose(parts, [0, 2, 1, 3]), [batch * tokens, heads * size]);
}

/**
 * What is added to attention scores so that padding gets no weight. The sum with any score is again this lowest
 * number, so a text that is all padding attends to its positions evenly and stays finite, as in transformers.
 * @param mask [B, T] @returns [B, 1, 1, T]
 */
export function paddingBias(mask: tf.Tensor2D): Tensor {
  const [batch, tokens] = mask.shape;
  return tf.reshape(tf.mul(tf.sub(1, mask), lowest), [batch, 1, 1, tokens]);
}

/** Applies dropout at one site after another, with the masks drawn for them. */
export class Dropouts {
  readonly #keep: readonly Tensor[] | undefined;
  #next = 0;

  /** @param keep one mask per site; absent outside training */
  constructor(keep: readonly Tensor[] | undefined) {
    this.#keep = keep;
  }

  apply<T extends Tensor>(x: T, rate: number): T {
    if (this.#keep === undefined || rate === 0) return x;
    const mask = this.#keep[this.#next++];
    if (mask === undefined) throw new RangeError(`no mask for dropout site ${this.#next - 1}`);
    return dropout(x, tf.reshape(mask, x.shape), rate) as T;
  }

  /** @throws RangeError where masks were given for more sites than there are */
  finish(): void {
    if (this.#keep !== undefined && this.#next !== this.#keep.length) {
      throw new RangeError(`${this.#keep.length} dropout masks for ${this.#next} sites`);
    }
  }
}

/** The sites where something is dropped at all. */
export function activeSites(sites: readonly DropoutSite[]): readonly DropoutSite[] {
  return sites.filter((site) => site.rate > 0);
}
