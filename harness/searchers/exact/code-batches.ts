/**
 * Looks through all rows of codes for many queries at once, by the engine's products of bytes, for those that may be among the
 * best: memory is read once for all queries, and a sum of bytes takes a quarter of the time of one of floats.
 */
import type { CodeProducts, Program } from '../../tensor/engine.js';
import { type CodeLayout, readCodes } from './code-file.js';
import type { Candidates } from './code-scan.js';
import { Possible } from './possible.js';
import { type ByteQuery, byteQuery, lengthOf, roundedUp } from './row-codes.js';
import { factNumbers, type StepSums, stepSums } from './step-sums.js';

/** Queries are padded to one of these numbers. */
const widths = [16, 32, 64, 128] as const;
export const largestBatch = 128;
/** Rows of a step: the sums of 128 queries take half a mebibyte, and stay in a core's cache. */
const stepRows = 1024;

/** Of rows and queries as long as this, no float32 number of `possible` leaves float32. */
const longest = 2 ** 60;

/** What codes, facts of rows and rows found take, besides what a scan does. */
export const batchBytes = ({ rows, width }: Pick<CodeLayout, 'rows' | 'width'>, threads: number): number =>
  rows * (width + 4 * factNumbers) + threads * largestBatch * Possible.bytes;

/** The program for some number of queries, and where its results go. */
interface Multiplier {
  program: Program;
  sums: StepSums;
}

export class CodeBatches {
  readonly #width: number;
  readonly #firstRow: number;
  readonly #rows: number;
  readonly #products: CodeProducts;
  /** [rows, width], 128 more than the codes; zeros in the rest of the last step. */
  readonly #codes: Uint8Array;
  /** [rows, 4]: scale, error, s |c|. */
  readonly #facts: Float32Array;
  readonly #isShort: boolean;
  readonly #possible: Possible[] = [];
  readonly #multipliers = new Map<number, Promise<Multiplier>>();

  /** @throws BenchError CACHE_INVALID for a file that is damaged */
  constructor(layout: CodeLayout, firstRow: number, rows: number, products: CodeProducts) {
    const { width } = layout;
    this.#width = width;
    this.#firstRow = firstRow;
    this.#rows = rows;
    this.#products = products;
    this.#codes = new Uint8Array(Math.ceil(rows / stepRows) * stepRows * width);
    const { scales, errors } = readCodes(layout, firstRow, this.#codes.subarray(0, rows * width));
    this.#facts = new Float32Array(rows * factNumbers);
    const signed = new Int8Array(this.#codes.buffer);
    for (let row = 0; row < rows; row++) {
      const length = lengthOf(signed.subarray(row * width, (row + 1) * width));
      this.#facts.set([scales[row]!, errors[row]!, roundedUp(scales[row]! * length)], row * factNumbers);
    }
    this.#isShort = this.#facts.every((fact) => fact <= longest);
    for (let i = 0; i < this.#codes.length; i++) this.#codes[i]! ^= 0x80;
  }

  /**
   * @param queries `largestBatch` at most, each [D]
   * @returns by query; undefined for one of which too many rows are possible to be held beside those of others, and for all
   *   where they or rows are too long
   */
  async find(queries: readonly Float32Array[], depth: number): Promise<(Candidates | undefined)[]> {
    const width = this.#width;
    const padded = widths.find((each) => each >= queries.length)!;
    const { program, sums } = await this.#multiplier(padded);
    const asked = queries.map((query) => byteQuery(query, width, this.#products.largestCode));
    if (!this.#isShort || asked.some(({ errorShare }) => errorShare > longest))
      return queries.map(() => undefined);
    const possible = asked.map((query, q) => {
      this.#possible[q] ??= new Possible();
      this.#possible[q].ask(query, Math.min(depth, this.#rows));
      return this.#possible[q];
    });
    const numbers = numbersOf(asked, width, padded);
    sums.ask(asked);
    for (let first = 0; first < this.#rows; first += stepRows) {
      const end = Math.min(this.#rows, first + stepRows);
      const step = this.#codes.subarray(first * width, (first + stepRows) * width);
      await program.run([step, numbers], [sums.values]);
      const facts = this.#facts.subarray(first * factNumbers, end * factNumbers);
      sums.offer(possible, facts, this.#firstRow + first);
    }
    return possible.map((each) => each.take());
  }

  #multiplier(queries: number): Promise<Multiplier> {
    const known = this.#multipliers.get(queries) ?? this.#compile(queries);
    this.#multipliers.set(queries, known);
    return known;
  }

  async #compile(queries: number): Promise<Multiplier> {
    const program = await this.#products.compile({ rows: stepRows, width: this.#width, queries });
    return { program, sums: stepSums(stepRows, queries) };
  }

  async dispose(): Promise<void> {
    for (const made of this.#multipliers.values()) {
      // What could not be compiled has said so to whoever searched.
      await (await made.catch(() => undefined))?.program.dispose();
    }
  }
}

/** Codes of queries, [width, padded]. */
function numbersOf(asked: readonly ByteQuery[], width: number, padded: number): Int8Array {
  const numbers = new Int8Array(width * padded);
  for (const [q, { codes }] of asked.entries())
    for (let d = 0; d < width; d++) numbers[d * padded + q] = codes[d]!;
  return numbers;
}
