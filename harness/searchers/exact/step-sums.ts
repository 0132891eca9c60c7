/** Sums of codes of some rows and many queries, as the engine gives them, and a look for those that leave a row possible. */
import { kernelMemory, kernelOf } from '../../program/web-assembly.js';
import type { Possible } from './possible.js';
import { factNumbers, stepRows } from './product-rows.js';
import type { ByteQuery } from './row-codes.js';

/** Of every four queries, four of each. */
const askedNumbers = 5;
/** Rows that are looked at with the same thresholds. */
const rowsAtOnce = 64;
/** More than the float32 roundings of what `possible` computes may take away, relatively. */
const slack = 2 ** -20;
/** More than what they take away where numbers are less than 2^-126 and have fewer digits, times 127. */
const lost = 2 ** -118;
const largestFloat = (2 - 2 ** -23) * 2 ** 127;

export interface StepSums {
  /** [stepRows, queries] */
  readonly values: Int32Array;
  /** What is looked for from now on. @param queries at most so many as the sums are of */
  ask(queries: readonly ByteQuery[]): void;
  /** @param possible of the queries asked @param facts [rows, 4], as many as there are @param firstRow number of the first */
  offer(possible: readonly Possible[], facts: Float32Array, firstRow: number): void;
}

/** Where in memory what begins behind the sums, and where all ends. */
function placesOf(queries: number) {
  const factsAt = 4 * stepRows * queries;
  const askedAt = factsAt + 4 * factNumbers * stepRows;
  const outAt = askedAt + 4 * askedNumbers * queries;
  return { factsAt, askedAt, outAt, end: outAt + 4 * rowsAtOnce * queries };
}

/** What the sums of so many queries take of memory, with all that is known of them. */
export const stepBytes = (queries: number): number => placesOf(queries).end;

/** @param queries a multiple of 4 */
export function stepSums(queries: number): StepSums {
  const { factsAt, askedAt, outAt, end } = placesOf(queries);
  const memory = kernelMemory(end);
  const kernel = kernelOf(new URL('scan.wasm', import.meta.url), memory).possible;
  const look = kernel as (...places: number[]) => number;
  const values = new Int32Array(memory.buffer, 0, stepRows * queries);
  const known = new Float32Array(memory.buffer, factsAt, factNumbers * stepRows);
  const asked = new Float32Array(memory.buffer, askedAt, askedNumbers * queries);
  const found = new Int32Array(memory.buffer, outAt, rowsAtOnce * queries);
  let shares: readonly ByteQuery[] = [];
  const set = (q: number, number: number, value: number) => {
    asked[(q >> 2) * 4 * askedNumbers + 4 * number + (q & 3)] = value;
  };
  return {
    values,
    ask(all) {
      shares = all;
      asked.fill(0);
      for (let q = 0; q < queries; q++) set(q, 4, Number.POSITIVE_INFINITY);
      for (const [q, { codes, factor, errorShare, lengthShare, least }] of all.entries()) {
        const wider = 1 + slack;
        const root = Math.sqrt(codes.length);
        set(q, 0, factor);
        set(q, 1, errorShare * wider + lost);
        // What a sum stands for is s |c| times twice errorShare at most, and no better rounded than all else.
        set(q, 2, lengthShare * wider + 2 * slack * errorShare + lost * root);
        set(q, 3, (least + lost * (1 + root * (factor + errorShare + lengthShare))) * wider);
      }
    },
    offer(possible, facts, firstRow) {
      known.set(facts);
      const count = facts.length / factNumbers;
      for (let first = 0; first < count; first += rowsAtOnce) {
        for (let q = 0; q < possible.length; q++) set(q, 4, lowered(possible[q]!.threshold));
        const [sums, at] = [4 * first * queries, factsAt + 4 * factNumbers * first];
        const hits = look(sums, Math.min(rowsAtOnce, count - first), queries, at, askedAt, outAt);
        for (let i = 0; i < hits; i++) {
          const place = found[i]! >> 2;
          const row = Math.floor(place / queries);
          const fact = row * factNumbers;
          const q = place - row * queries;
          const { factor, errorShare, lengthShare, least } = shares[q]!;
          const value = known[fact]! * factor * values[place]!;
          const radius = errorShare * known[fact + 1]! + lengthShare * known[fact + 2]! + least;
          possible[q]!.offer(firstRow + row, value, radius);
        }
      }
    },
  };
}

/** Not above a threshold, as float32. */
const lowered = (threshold: number): number =>
  Number.isFinite(threshold) ? Math.min(largestFloat, threshold - slack * Math.abs(threshold)) : threshold;
