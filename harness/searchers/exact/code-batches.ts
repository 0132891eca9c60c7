/**
 * Looks through all rows of codes for many queries at once, by the engine's products of bytes, for those that may be among the
 * best, and compares these: memory is read once for all queries, and a sum of bytes takes a quarter of the time of one of floats.
 */
import type { BestPassages } from '../../search/best-passages.js';
import type { CodeProducts, Program } from '../../tensor/engine.js';
import { Possible } from './possible.js';
import { factNumbers, type ProductRows, productBytes, stepRows } from './product-rows.js';
import { type ByteQuery, byteQuery } from './row-codes.js';
import type { Products } from './row-memory.js';
import { type StepSums, stepBytes, stepSums } from './step-sums.js';

/** Queries are padded to one of these numbers. */
const widths = [16, 32, 64, 128] as const;
export const largestBatch = 128;

/** Of rows and queries as long as this, no float32 number of `possible` leaves float32. */
const longest = 2 ** 60;

/** What all of it takes of memory. @param parts in which the rows come */
export function batchBytes(parts: readonly { rows: number }[], width: number): number {
  const rows = parts.reduce((sum, part) => sum + productBytes(part.rows, width), 0);
  const sums = widths.reduce((sum, queries) => sum + stepBytes(queries), 0);
  return rows + sums + largestBatch * Possible.bytes;
}

interface Asked {
  /** [D] */
  vector: Float32Array;
  coded: ByteQuery;
}

/** The program for some number of queries, and where its results go. */
interface Multiplier {
  queries: number;
  program: Program;
  sums: StepSums;
}

export class CodeBatches {
  readonly #parts: readonly ProductRows[];
  readonly #width: number;
  readonly #largestCode: number;
  /** By `widths`. */
  readonly #multipliers: readonly Multiplier[];
  readonly #possible: Possible[] = [];

  private constructor(
    parts: readonly ProductRows[],
    width: number,
    largestCode: number,
    multipliers: readonly Multiplier[],
  ) {
    this.#parts = parts;
    this.#width = width;
    this.#largestCode = largestCode;
    this.#multipliers = multipliers;
  }

  /** Undefined where a row is too long. @param width codes of a row */
  static async open(
    parts: readonly ProductRows[],
    width: number,
    products: CodeProducts,
  ): Promise<CodeBatches | undefined> {
    if (!parts.every(({ facts }) => facts.every((fact) => fact <= longest))) return undefined;
    const multipliers: Multiplier[] = [];
    for (const queries of widths) {
      const program = await products.compile({ rows: stepRows, width, queries });
      multipliers.push({ queries, program, sums: stepSums(queries) });
    }
    return new CodeBatches(parts, width, products.largestCode, multipliers);
  }

  /**
   * @param queries `largestBatch` at most, each [D] @param productsOf asked for one query after another
   * @returns by query, the best rows; undefined for one that is too long, or of which too many rows are possible to be held
   *   beside those of others
   */
  async find(
    queries: readonly Float32Array[],
    depth: number,
    productsOf: (query: Float32Array) => Products,
  ): Promise<(BestPassages | undefined)[]> {
    const all = queries.map((vector) => ({
      vector,
      coded: byteQuery(vector, this.#width, this.#largestCode),
    }));
    const isShort = ({ coded }: Asked) => coded.errorShare <= longest;
    const asked = all.filter(isShort);
    const found = (await this.#find(asked, depth, productsOf)).values();
    return all.map((query) => (isShort(query) ? found.next().value : undefined));
  }

  async #find(
    asked: readonly Asked[],
    depth: number,
    productsOf: (query: Float32Array) => Products,
  ): Promise<(BestPassages | undefined)[]> {
    if (asked.length === 0) return [];
    const width = this.#width;
    const { program, sums, queries } = this.#multipliers.find((each) => each.queries >= asked.length)!;
    const rows = this.#parts.reduce((sum, part) => sum + part.rows, 0);
    const possible = asked.map((_, q) => {
      this.#possible[q] ??= new Possible();
      this.#possible[q].ask(Math.min(depth, rows));
      return this.#possible[q];
    });
    const coded = asked.map(({ coded }) => coded);
    const numbers = numbersOf(coded, width, queries);
    sums.ask(coded);
    let steps = 0;
    for (const { firstRow, rows, codes, facts } of this.#parts)
      for (let first = 0; first < rows; first += stepRows) {
        const end = Math.min(rows, first + stepRows);
        const step = codes.subarray(first * width, (first + stepRows) * width);
        await program.run([step, numbers], [sums.values]);
        const known = facts.subarray(first * factNumbers, end * factNumbers);
        sums.offer(possible, known, firstRow + first);
        // Whenever there are twice as many rows, half of the best are others.
        if ((++steps & (steps - 1)) === 0)
          for (const [q, each] of possible.entries()) each.tighten(productsOf(asked[q]!.vector));
      }
    return possible.map((each, q) => {
      const products = productsOf(asked[q]!.vector);
      each.tighten(products);
      return each.finish(products);
    });
  }

  async dispose(): Promise<void> {
    for (const { program } of this.#multipliers) await program.dispose();
  }
}

/** Codes of queries, [width, padded]. */
function numbersOf(asked: readonly ByteQuery[], width: number, padded: number): Int8Array {
  const numbers = new Int8Array(width * padded);
  for (const [q, { codes }] of asked.entries())
    for (let d = 0; d < width; d++) numbers[d * padded + q] = codes[d]!;
  return numbers;
}
