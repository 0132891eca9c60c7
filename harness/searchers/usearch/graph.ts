/** The kinds of graph that usearch builds, and how vectors become those that it holds. */
import { BenchError } from '../../errors.js';
import type { FoundParameter } from '../../search/searcher.js';

export type Scalar = 'f32' | 'f16' | 'i8';

export interface Graph {
  /** M, links of a vector; twice as many in the lowest layer, as in FAISS. */
  links: number;
  scalar: Scalar;
}

export const kinds =
  'HNSW32, HNSW32,f16, HNSW32,i8 (any number of links from 2 to 512; 32 where it is left out)';

/** Of a kind that names no number: FAISS's own rule for factory strings, so that both searchers build the same of `HNSW`. */
const usualLinks = 32;

/** Candidates kept while a vector is added, and while a query is answered: usearch's own values. */
export const efConstruction = 128;
export const ownEfSearch = 64;

/** @throws BenchError CONFIG_INVALID where usearch has no such kind */
export function graphOf(kind: string): Graph {
  const [, digits, scalar = 'f32'] = /^HNSW(\d*)(?:,(f32|f16|i8))?$/.exec(kind) ?? [];
  const links = digits === '' ? usualLinks : Number(digits);
  if (links >= 2 && links <= 512) return { links, scalar: scalar as Scalar };
  throw new BenchError('CONFIG_INVALID', `usearch cannot build an index '${kind}': it builds ${kinds}.`, {
    hint: 'Other kinds need FAISS: bench list searchers.',
  });
}

/** @throws BenchError CONFIG_INVALID for anything but efSearch */
export function assertSettable(
  found: FoundParameter | undefined,
  name: string,
  _values: readonly number[],
  kind: string,
): void {
  if (name === found?.name) return;
  throw new BenchError('CONFIG_INVALID', `index.${name} cannot be set for an index '${kind}' of usearch.`, {
    hint: 'What a search in its graphs can be told is efSearch.',
  });
}

/**
 * What becomes of vectors on their way into the library, and of its distances on their way out. usearch scales each vector
 * to length 1 before it rounds it to 8 bits, which would make cosines of inner products. So i8 gives it one more number
 * a vector, by which all are as long as the longest, and none to a query: the cosines are then the inner products over
 * that length and the query's.
 */
export class Lengthening {
  readonly #dimensions: number;

  /** @param dimensions D @param longest the length of the longest row */
  constructor(
    dimensions: number,
    readonly longest: number,
  ) {
    this.#dimensions = dimensions;
  }

  /** @param values [rows, D] @returns [rows, D + 1] */
  rows(values: Float32Array): Float32Array {
    return this.#with(values, (square) => Math.sqrt(Math.max(0, this.longest ** 2 - square)));
  }

  /** @param values [Q, D] @returns [Q, D + 1] */
  queries(values: Float32Array): Float32Array {
    return this.#with(values, () => 0);
  }

  /** What an inner product of two vectors of 8 bits is of the inner product. @param query [D] */
  scale(query: Float32Array): number {
    return (this.longest * Math.sqrt(squareOf(query))) / 127 ** 2;
  }

  #with(values: Float32Array, last: (square: number) => number): Float32Array {
    const count = values.length / this.#dimensions;
    const longer = new Float32Array(count * (this.#dimensions + 1));
    for (let i = 0; i < count; i++) {
      const vector = values.subarray(i * this.#dimensions, (i + 1) * this.#dimensions);
      longer.set(vector, i * (this.#dimensions + 1));
      longer[(i + 1) * (this.#dimensions + 1) - 1] = last(squareOf(vector));
    }
    return longer;
  }
}

export function squareOf(vector: Float32Array): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return sum;
}
