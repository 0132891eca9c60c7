/**
 * Looks through all rows of codes for many queries at once, by the engine's products of bytes, for those that may be among the
 * best: memory is read once for all queries, and a sum of bytes takes a quarter of the time of one of floats.
 */
import type { CodeProducts, Program } from '../../tensor/engine.js';
import type { Candidates } from './code-scan.js';
import { Possible } from './possible.js';
import { factNumbers, type ProductRows, productBytes, stepRows } from './product-rows.js';
import { type ByteQuery, byteQuery } from './row-codes.js';
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
   * @param queries `largestBatch` at most, each [D]
   * @returns by query, what is there until the next are asked; undefined for one that is too long, or of which too many rows
   *   are possible to be held beside those of others
   */
  async find(queries: readonly Float32Array[], depth: number): Promise<(Candidates | undefined)[]> {
    const all = queries.map((query) => byteQuery(query, this.#width, this.#largestCode));
    const isShort = ({ errorShare }: ByteQuery) => errorShare <= longest;
    const asked = all.filter(isShort);
    const found = (await this.#find(asked, depth)).values();
    return all.map((query) => (isShort(query) ? found.next().value : undefined));
  }

  async #find(asked: readonly ByteQuery[], depth: number): Promise<(Candidates | undefined)[]> {
    if (asked.length === 0) return [];
    const width = this.#width;
    const { program, sums, queries } = this.#multipliers.find((each) => each.queries >= asked.length)!;
    const rows = this.#parts.reduce((sum, part) => sum + part.rows, 0);
    const possible = asked.map((query, q) => {
      this.#possible[q] ??= new Possible();
      this.#possible[q].ask(query, Math.min(depth, rows));
      return this.#possible[q];
    });
    const numbers = numbersOf(asked, width, queries);
    sums.ask(asked);
    for (const { firstRow, rows, codes, facts } of this.#parts)
      for (let first = 0; first < rows; first += stepRows) {
        const end = Math.min(rows, first + stepRows);
        const step = codes.subarray(first * width, (first + stepRows) * width);
        await program.run([step, numbers], [sums.values]);
        const known = facts.subarray(first * factNumbers, end * factNumbers);
        sums.offer(possible, known, firstRow + first);
      }
    return possible.map((each) => each.take());
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
