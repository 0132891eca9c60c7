/**
 * Rows of a table by their number, and the gradient of that. The gradient adds every row's shares, and many of them go to
 * one row: [CLS] stands in every text. Nothing here adds into a row that another thread may be adding to, so no share is
 * lost and the order of additions is the same in every run (ONNX Runtime's ScatterND with addition has neither).
 *
 * The numbers are known before a step, so the host sorts them (`lookUpPlan`). Sorted, the shares are cut into blocks of 64
 * and a small product with ones and zeros adds up each block's equal numbers. A number whose run crosses the edge of a
 * block has a sum in each; a second product adds those. Then every row of the table takes its one sum, or zeros; or
 * `RowSums` gives the sums alone.
 */
import { withGradient } from './layers.js';
import * as tf from './operations.js';

type Tensor = tf.Tensor;

/** Shares that one product adds up. */
const blockRows = 64;

/** Where the parts of a plan begin. A block is left with an unused place: its sum is the zeros of rows without shares. */
function planParts(count: number, rows: number) {
  const blocks = Math.floor(count / blockRows) + 1;
  const places = blocks * blockRows;
  const edges = 2 * blocks;
  const starts = { order: 0, slots: places, edges: 2 * places, groups: 2 * places + edges };
  const rowOf = starts.groups + edges;
  return { blocks, places, edges, starts, rowOf, size: rowOf + rows };
}

/** @returns P, the length of a plan for so many look-ups in a table of so many rows */
export const planSize = (count: number, rows: number): number => planParts(count, rows).size;

/**
 * How the shares of a gradient are to be added up.
 * @param ids which rows were looked up, [N], each below `rows`
 * @param rows V, of the table
 * @param untrained a row that gets no gradient, as PyTorch's `padding_idx`
 * @returns [P] int32: for each place the share that stands there, and its slot in its block's sum; for the edges of each
 *   block where their sum stands, and to which sum of the second product it belongs; for each row of the table its sum
 */
export function lookUpPlan(ids: Int32Array, rows: number, untrained?: number): Int32Array {
  const { blocks, places, starts, rowOf, size } = planParts(ids.length, rows);
  const plan = new Int32Array(size);
  plan.fill(-1, starts.slots, starts.edges);
  plan.fill(-1, starts.groups, rowOf);
  plan.fill(places - 1, rowOf);
  const sorted = sortedPlaces(ids, rows, untrained);
  plan.set(sorted, starts.order);
  let groups = 0;
  for (let block = 0; block < blocks; block++) {
    const first = block * blockRows;
    const end = Math.min(first + blockRows, sorted.length);
    let slot = -1;
    for (let place = first; place < end; place++) {
      const id = ids[sorted[place]!]!;
      const goesOn = place > 0 && ids[sorted[place - 1]!] === id;
      if (place === first || !goesOn) slot++;
      plan[starts.slots + place] = slot;
      const sum = first + slot;
      if (!goesOn) plan[rowOf + id] = sum;
      else if (place === first) {
        // The run comes from the block before: its last sum there and its first sum here are of one group.
        const before = starts.groups + 2 * block - 1;
        const earlier = plan[rowOf + id]!;
        if (earlier < places) {
          plan[before] = groups;
          plan[rowOf + id] = places + groups++;
        }
        plan[starts.groups + 2 * block] = plan[rowOf + id]! - places;
      }
    }
    plan[starts.edges + 2 * block] = first;
    // Where a block has one sum alone, both edges are at it, and it is of a group at one of them at most.
    plan[starts.edges + 2 * block + 1] = first + Math.max(0, slot);
  }
  return plan;
}

/** The places of all trained ids, by id and then by place: a counting sort. */
function sortedPlaces(ids: Int32Array, rows: number, untrained: number | undefined): Int32Array {
  const next = new Int32Array(rows + 1);
  let kept = 0;
  for (const id of ids) {
    if (id < 0 || id >= rows) throw new RangeError(`row ${id} was looked up in a table of ${rows}`);
    if (id === untrained) continue;
    next[id + 1]!++;
    kept++;
  }
  for (let row = 0; row < rows; row++) next[row + 1]! += next[row]!;
  const sorted = new Int32Array(kept);
  for (const [place, id] of ids.entries()) if (id !== untrained) sorted[next[id]!++] = place;
  return sorted;
}

/** The rows of a table that have a sum, in order, and where their sums stand: as many places as `rowSumsSize` says. */
export interface SummedRows {
  rows: Int32Array;
  places: Int32Array;
}

/** @param count N, of look-ups @returns S, the places of their sums */
export const rowSumsSize = (count: number): number => planParts(count, 0).places;

/** @param plan of `count` look-ups in a table of `rows` rows */
export function summedRows(plan: Int32Array, count: number, rows: number): SummedRows {
  const parts = planParts(count, rows);
  const none = parts.places - 1;
  const rowOf = plan.subarray(parts.rowOf);
  const summed = Int32Array.from(rowOf.keys()).filter((row) => rowOf[row] !== none);
  const places = new Int32Array(parts.places).fill(none);
  for (const [i, row] of summed.entries()) places[i] = rowOf[row]!;
  return { rows: summed, places };
}

/**
 * Stands for the plan of a look-up whose gradient is wanted as sums of rows: that of the table is zeros in all others, and to write, add
 * and read these takes longer than all else of a small chunk. The tape gets zeros, which are not computed where nobody reads them.
 */
export class RowSums {
  readonly #plan: tf.Tensor1D;
  readonly #places: tf.Tensor1D;
  #lookUps = 0;
  #zeros: Tensor | undefined;
  #sums: Tensor | undefined;

  /** @param places [S] of `summedRows` */
  constructor(plan: tf.Tensor1D, places: tf.Tensor1D) {
    this.#plan = plan;
    this.#places = places;
  }

  lookUp(table: Tensor, ids: tf.Tensor1D): Tensor {
    this.#lookUps++;
    const [rows, dimensions] = table.shape as [number, number];
    return withGradient([table], ([from]) => ({
      value: tf.gather(from!, ids),
      saved: [from!, this.#plan, this.#places],
      gradient: (dy, [from, plan, places]) => {
        const sums = sumsByPlace(dy, plan as tf.Tensor1D, rows, dimensions);
        this.#sums = tf.keep(tf.gather(sums, places as tf.Tensor1D));
        this.#zeros = tf.mul(from!, 0);
        return [this.#zeros];
      },
    }));
  }

  /**
   * @param gradient of a parameter, as the tape has it
   * @returns the sums of rows, [S, D], where they are all of it; undefined where the parameter was not looked up, or does more than that
   */
  of(gradient: Tensor): Tensor | undefined {
    return gradient === this.#zeros && this.#lookUps === 1 ? this.#sums : undefined;
  }
}

/**
 * @param table [V, D]
 * @param ids [N] int32
 * @param plan [P] of these ids and this table, where the table is trained, or what stands for it; without it there is no gradient
 * @returns [N, D]
 */
export function lookUp(table: Tensor, ids: tf.Tensor1D, plan: tf.Tensor1D | RowSums | undefined): Tensor {
  if (plan === undefined) return tf.gather(table, ids);
  if (plan instanceof RowSums) return plan.lookUp(table, ids);
  const [rows, dimensions] = table.shape as [number, number];
  return withGradient([table], ([from]) => ({
    value: tf.gather(from!, ids),
    saved: [plan],
    gradient: (dy, [given]) => {
      const order = given as tf.Tensor1D;
      const { rowOf } = planParts(dy.shape[0]!, rows);
      return [tf.gather(sumsByPlace(dy, order, rows, dimensions), tf.slice(order, rowOf, rows))]; // [V, D]
    },
  }));
}

/** @param shares [N, D] @returns the sums of blocks, and of runs that cross their edges, [S + S / 64, D] */
function sumsByPlace(shares: Tensor, plan: tf.Tensor1D, rows: number, dimensions: number): Tensor {
  const { blocks, places, edges, starts } = planParts(shares.shape[0]!, rows);
  const sorted = tf.gather(shares, tf.slice(plan, starts.order, places)); // [S, D]
  const slots = tf.reshape(tf.slice(plan, starts.slots, places), [blocks, 1, blockRows]);
  const inBlocks = tf.matMul(isEqual(slots, blockRows), tf.reshape(sorted, [blocks, blockRows, dimensions])); // [S / 64, 64, D]
  const sums = tf.reshape(inBlocks, [places, dimensions]);
  const groups = tf.reshape(tf.slice(plan, starts.groups, edges), [1, edges]);
  const atEdges = tf.gather(sums, tf.slice(plan, starts.edges, edges)); // [2 S / 64, D]
  // Fewer runs cross an edge than there are blocks.
  const overEdges = tf.matMul(isEqual(groups, blocks), atEdges); // [S / 64, D]
  return tf.concat([sums, overEdges], 0);
}

/** @param numbers [..., 1, N] int32 @returns [..., below, N], 1 where row r's number is r */
function isEqual(numbers: Tensor, below: number): Tensor {
  const rows = tf.expandDims(tf.range(0, below, 1, 'int32'), 1); // [below, 1]
  return tf.cast(tf.equal(rows, numbers), 'float32');
}

/**
 * The same for a table of few rows: no plan is needed.
 * @param table [R, C]
 * @param ids [A, B] int32
 * @param untrained a row that gets no gradient
 * @returns [A, B, C]
 */
export function lookUpFew(table: Tensor, ids: tf.Tensor2D, untrained?: number): tf.Tensor3D {
  const rows = table.shape[0]!;
  const [many, each] = ids.shape;
  return withGradient([table], ([from]) => ({
    value: tf.gather(from!, ids),
    saved: [ids],
    gradient: (dy, [given]) => {
      const trained = untrained === undefined ? given! : withoutNumber(given!, untrained);
      const chosen = isEqual(tf.reshape(trained, [many, 1, each]), rows); // [A, R, B]
      return [tf.sum(tf.matMul(chosen, dy), 0)]; // [R, C]
    },
  })) as tf.Tensor3D;
}

/** @param numbers int32 @returns the same with -1 for each `left` */
function withoutNumber(numbers: Tensor, left: number): Tensor {
  const isLeft = tf.cast(tf.equal(numbers, tf.scalar(left, 'int32')), 'int32');
  return tf.sub(numbers, tf.mul(isLeft, tf.scalar(left + 1, 'int32')));
}
