/** Vectors made elsewhere by the ids that they are asked for: every id has one, and every number is one. */

import { closing } from '../closing.js';
import type { Dataset, Query } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { type GivenArray, openArray } from './given-arrays.js';
import { type GivenVectors, identifiersIn, type Side, type Similarity } from './given-vectors.js';
import { normalizeRows } from './row-lengths.js';

/** Reads rows of one side, of length 1 where vectors are compared by their cosine. */
export class GivenRows {
  private constructor(
    readonly rows: GivenArray,
    readonly similarity: Similarity,
  ) {}

  static async open({ arrays, similarity }: GivenVectors, side: Side): Promise<GivenRows> {
    return new GivenRows(await openArray(arrays[side]), similarity);
  }

  /**
   * @returns [count, D]
   * @throws BenchError DATA_INVALID naming the row where a number is not finite
   */
  async read(firstRow: number, count: number): Promise<Float32Array> {
    const { dimensions, file } = this.rows;
    const values = await this.rows.read(firstRow, count);
    const fault = values.findIndex((value) => !Number.isFinite(value));
    if (fault >= 0) {
      const row = firstRow + Math.floor(fault / dimensions);
      throw new BenchError('DATA_INVALID', `${file} holds ${values[fault]} in row ${row + 1}.`, {
        hint: 'Whatever made it failed there: make it again. (float16 holds nothing above 65,504.)',
      });
    }
    if (this.similarity === 'cosine') normalizeRows(values, dimensions);
    return values;
  }

  close(): Promise<void> {
    return this.rows.close();
  }
}

/**
 * The row of each passage of the collection, by ordinal; undefined where rows are in its order.
 * @throws BenchError DATA_INVALID listing ids that the folder or the dataset lacks, or that the folder has twice
 */
export async function rowsOfPassages(given: GivenVectors, dataset: Dataset): Promise<Int32Array | undefined> {
  if (await isInOrder(given, dataset)) return undefined;
  const rows = await rowsById(given, 'passages');
  const found = new Int32Array(dataset.passageCount);
  const missing: string[] = [];
  const asked = new Uint8Array(given.counts.passages);
  let ordinal = 0;
  for await (const { passageId } of dataset.passages()) {
    const row = rows.get(passageId);
    if (row === undefined) missing.push(passageId);
    else {
      asked[row] = 1;
      found[ordinal] = row;
    }
    ordinal++;
  }
  const unknown = [...rows].flatMap(([id, row]) => (asked[row] === 1 ? [] : [id]));
  const faults = [
    ...(missing.length === 0
      ? []
      : [`has no vectors of ${listed(missing, 'passage', 'passages')} of ${dataset.name}`]),
    ...(unknown.length === 0
      ? []
      : [`has vectors of ${listed(unknown, 'passage', 'passages')} that ${dataset.name} has not`]),
  ];
  if (faults.length > 0) {
    throw new BenchError('DATA_INVALID', `${given.folder} ${faults.join(', and ')}.`, {
      hint: 'Its ids have to be those of the collection, each once: were they made from another version of it, or a part?',
    });
  }
  return found;
}

async function isInOrder(given: GivenVectors, dataset: Dataset): Promise<boolean> {
  if (given.counts.passages !== dataset.passageCount) return false;
  const identifiers = identifiersIn(given, 'passages');
  try {
    for await (const { passageId } of dataset.passages())
      if ((await identifiers.next()).value !== passageId) return false;
    return (await identifiers.next()).done === true;
  } finally {
    await identifiers.return(undefined);
  }
}

/** The most entries that a Map holds. */
const mostById = 2 ** 24 - 1;

/** @throws BenchError DATA_INVALID where there are more or fewer ids than rows, or one twice */
async function rowsById(given: GivenVectors, side: Side): Promise<Map<string, number>> {
  const rows = new Map<string, number>();
  const file = given.identifiers[side];
  if (given.counts[side] > mostById) {
    throw new BenchError('DATA_INVALID', `${file} has ids in another order than the collection.`, {
      hint: `More than ${mostById} rows have to be in the collection's order.`,
    });
  }
  let count = 0;
  for await (const id of identifiersIn(given, side)) {
    const earlier = rows.get(id);
    if (earlier !== undefined) {
      throw new BenchError(
        'DATA_INVALID',
        `${file} has the id '${id}' twice, for rows ${earlier + 1} and ${count + 1}.`,
        { hint: `Each of the ${side} has one vector.` },
      );
    }
    rows.set(id, count++);
  }
  if (count !== given.counts[side]) {
    throw new BenchError(
      'DATA_INVALID',
      `${file} has ${count} ids, and ${side}.npy ${given.counts[side]} rows.`,
      { hint: 'Each line is the id of one row, in their order.' },
    );
  }
  return rows;
}

/** All queries that have vectors, in memory. */
export class GivenQueries {
  private constructor(
    readonly folder: string,
    readonly dimensions: number,
    readonly values: Float32Array,
    readonly rows: ReadonlyMap<string, number>,
  ) {}

  static async open(given: GivenVectors): Promise<GivenQueries> {
    const rows = await rowsById(given, 'queries');
    return closing(await GivenRows.open(given, 'queries'), async (reader) => {
      const values = await reader.read(0, given.counts.queries);
      return new GivenQueries(given.folder, given.dimensions, values, rows);
    });
  }

  /** @returns [Q, D] @throws BenchError DATA_INVALID listing queries that have no vector */
  vectorsOf(queries: readonly Query[]): Float32Array {
    const missing = queries.filter(({ queryId }) => !this.rows.has(queryId)).map(({ queryId }) => queryId);
    if (missing.length > 0) {
      throw new BenchError(
        'DATA_INVALID',
        `${this.folder} has no vectors of ${listed(missing, 'query', 'queries')}.`,
        { hint: 'There has to be a row for every query that is searched with.' },
      );
    }
    const vectors = new Float32Array(queries.length * this.dimensions);
    for (const [i, { queryId }] of queries.entries()) {
      const from = this.rows.get(queryId)! * this.dimensions;
      vectors.set(this.values.subarray(from, from + this.dimensions), i * this.dimensions);
    }
    return vectors;
  }
}

const mostListed = 5;

/** `3 passages (a, b, c)`, `12 queries (a, b, c, d, e and 7 more)` */
function listed(ids: readonly string[], one: string, many: string): string {
  const more = ids.length > mostListed ? ` and ${ids.length - mostListed} more` : '';
  return `${counted(ids.length, many, one)} (${ids.slice(0, mostListed).join(', ')}${more})`;
}
