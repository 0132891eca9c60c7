/** What the attention of all encoders shares: heads, the padding mask, and dropout masks handed out in order. */
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

/** Of what is added to scores, the rows of the first tokens; one row is that of all. @param bias [B, 1 or H, 1 or T, T] */
export function firstQueries(bias: Tensor, positions: number): Tensor {
  const [batch, heads, queries, tokens] = bias.shape as [number, number, number, number];
  return queries === 1 || queries === positions
    ? bias
    : tf.slice(bias, [0, 0, 0, 0], [batch, heads, positions, tokens]);
}

/** Applies dropout at one site after another, with the masks drawn for them. */
export class Dropouts {
  readonly #keep: readonly Tensor[] | undefined;
  #next: number;

  /**
   * @param keep one mask per site; absent outside training
   * @param next the first site that is left
   */
  constructor(keep: readonly Tensor[] | undefined, next = 0) {
    this.#keep = keep;
    this.#next = next;
  }

  /** @param positions where x has the first so many tokens only: the others' part of the mask is left out */
  apply<T extends Tensor>(x: T, rate: number, positions?: number): T {
    if (this.#keep === undefined || rate === 0) return x;
    const mask = this.#keep[this.#next++];
    if (mask === undefined) throw new RangeError(`no mask for dropout site ${this.#next - 1}`);
    return dropout(x, tf.reshape(firstTokens(mask, positions), x.shape), rate) as T;
  }

  /** The same from here on, to be gone through apart. */
  fork(): Dropouts {
    return new Dropouts(this.#keep, this.#next);
  }

  /** @throws RangeError where masks were given for more sites than there are */
  finish(): void {
    if (this.#keep !== undefined && this.#next !== this.#keep.length) {
      throw new RangeError(`${this.#keep.length} dropout masks for ${this.#next} sites`);
    }
  }
}

/** @param mask [B, T, D] or [B, H, T, T]: tokens are the last axis but one */
function firstTokens(mask: Tensor, positions: number | undefined): Tensor {
  const axis = mask.rank - 2;
  if (positions === undefined || positions === mask.shape[axis]) return mask;
  const size = mask.shape.map((length, i) => (i === axis ? positions : length));
  return tf.slice(
    mask,
    size.map(() => 0),
    size,
  );
}

/** The sites where something is dropped at all. */
export function activeSites(sites: readonly DropoutSite[]): readonly DropoutSite[] {
  return sites.filter((site) => site.rate > 0);
}
