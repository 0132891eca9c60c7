/** Looks through rows of codes, one query after another, for those that its vectors are worth comparing with. */
import { type KernelMemory, kernelMemory, kernelOf } from '../../program/web-assembly.js';
import { BestPassages } from '../../search/best-passages.js';
import { type CodeLayout, readCodes } from './code-file.js';
import { LargestValues } from './largest-values.js';
import type { CodedQuery, SignedQuery } from './row-codes.js';

/** What is wanted of rows: those that may be among the first `depth`, or the `depth` that look best. */
export interface Wanted {
  rows: 'possible' | 'best';
  depth: number;
}

/** Rows of the index that were found, in no order. */
export interface Candidates {
  rows: Float64Array | Int32Array;
  /** Of possible ones, what their scores are at most; of the best, what they look like. */
  values: Float64Array;
}

export type ScanQuery = CodedQuery | SignedQuery;

type Kernel = (codes: number, rows: number, width: number, query: number, out: number) => void;

/** What memory of one kernel may hold. */
const largestBytes = 1 << 30;

/** Rows of a file that one memory holds, at most. */
export const rowsAtMost = ({ width }: Pick<CodeLayout, 'width'>): number =>
  Math.max(1, Math.floor(largestBytes / (width + 4)));

/** Some rows of a file, in the memory of the kernel. */
export class CodeScan {
  readonly #firstRow: number;
  readonly #rows: number;
  readonly #width: number;
  readonly #memory: KernelMemory;
  readonly #kernel: Kernel;
  /** Places in memory; codes begin at 0. */
  readonly #query: number;
  readonly #out: number;
  readonly #scales: Float32Array;
  readonly #errors: Float32Array;

  /** @throws BenchError CACHE_INVALID where the file ends early or holds what is no scale or error */
  constructor(layout: CodeLayout, firstRow: number, rows: number) {
    const { coding, width } = layout;
    this.#firstRow = firstRow;
    this.#rows = rows;
    this.#width = width;
    this.#query = rows * width;
    this.#out = this.#query + 2 * width;
    this.#memory = kernelMemory(this.#out + 4 * rows);
    this.#kernel = kernelOf(new URL('scan.wasm', import.meta.url), this.#memory)[coding] as Kernel;
    const into = new Uint8Array(this.#memory.buffer, 0, rows * width);
    ({ scales: this.#scales, errors: this.#errors } = readCodes(layout, firstRow, into));
  }

  find(query: ScanQuery, { rows, depth }: Wanted): Candidates {
    const codes = 'bits' in query ? query.bits : query.codes;
    const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength);
    new Uint8Array(this.#memory.buffer).set(bytes, this.#query);
    this.#kernel(0, this.#rows, this.#width, this.#query, this.#out);
    const found = new Int32Array(this.#memory.buffer, this.#out, this.#rows);
    if ('bits' in query) return this.#best((row) => query.cosines[found[row]!]!, depth);
    if (rows === 'possible') return this.#possible(query, found, depth);
    return this.#best((row) => query.factor * found[row]!, depth);
  }

  /** @param looks what a row looks like, over its scale */
  #best(looks: (row: number) => number, depth: number): Candidates {
    const held = new BestPassages(Math.min(depth, this.#rows));
    for (let row = 0; row < this.#rows; row++) held.offer(this.#scales[row]! * looks(row), row);
    const [rows, values] = [new Int32Array(this.#rows), new Float32Array(this.#rows)];
    const count = held.take(rows, values, 0);
    return {
      rows: Float64Array.from(rows.subarray(0, count), (row) => this.#firstRow + row),
      values: Float64Array.from(values.subarray(0, count)),
    };
  }

  /** Those whose score may be as large as the `depth`-th largest is at least: see CodedQuery. */
  #possible(query: CodedQuery, products: Int32Array, depth: number): Candidates {
    const { factor, errorShare, scaleShare, least } = query;
    const [scales, errors, count] = [this.#scales, this.#errors, this.#rows];
    const lowest = new LargestValues(Math.min(depth, count));
    // Rows that were possible when they came; the threshold rises until all are seen.
    const possible: number[] = [];
    const highest: number[] = [];
    let threshold = Number.NEGATIVE_INFINITY;
    for (let row = 0; row < count; row++) {
      const value = scales[row]! * factor * products[row]!;
      const radius = errorShare * errors[row]! + scaleShare * scales[row]! + least;
      if (value + radius < threshold) continue;
      possible.push(row);
      highest.push(value + radius);
      if (value - radius <= threshold) continue;
      lowest.offer(value - radius);
      threshold = lowest.least;
    }
    const kept = Uint32Array.from(possible.keys()).filter((i) => highest[i]! >= threshold);
    return {
      rows: Float64Array.from(kept, (i) => this.#firstRow + possible[i]!),
      values: Float64Array.from(kept, (i) => highest[i]!),
    };
  }
}
