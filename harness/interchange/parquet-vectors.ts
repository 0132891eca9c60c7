/** Vectors with their ids in one Parquet file: a column `_id` or `id`, and one column of lists of numbers, all of one length. */
import { closingOnFailure } from '../closing.js';
import { BenchError } from '../errors.js';
import { type ParquetColumn, ParquetFile } from './parquet-file.js';

const code = 'DATA_INVALID';
const idNames = ['_id', 'id'];

/** An open file whose columns have been checked. Its rows come in their order alone. */
export class ParquetVectors {
  #rows: AsyncGenerator<Float32Array> | undefined;
  #next = 0;

  private constructor(
    readonly file: string,
    /** How many. */
    readonly rows: number,
    /** D */
    readonly dimensions: number,
    readonly parquet: ParquetFile,
    readonly columns: { id: string; vector: string },
  ) {}

  /** @throws BenchError PATH_INVALID where it cannot be opened; DATA_INVALID where it is damaged, or holds no such columns, or no rows */
  static async open(file: string): Promise<ParquetVectors> {
    return closingOnFailure(await ParquetFile.open(file, code), async (parquet) => {
      const columns = columnsOf(parquet);
      for await (const { values } of parquet.rows([columns.vector])) {
        const [first] = values as [Float32Array | null];
        if (first === null) throw withoutNumbers(file, 1);
        return new ParquetVectors(file, parquet.rowCount, first.length, parquet, columns);
      }
      throw new BenchError(code, `${file} has no rows.`, { hint: 'Each row holds an id and its vector.' });
    });
  }

  /** The ids in the order of the rows. @throws BenchError DATA_INVALID for a row that has none */
  async *identifiers(): AsyncGenerator<string> {
    const { id } = this.columns;
    for await (const { row, values } of this.parquet.rows([id])) {
      const [value] = values;
      // A whole number of Parquet has all of its digits.
      const text = value === null ? '' : String(value);
      if (text === '')
        throw new BenchError(code, `${this.file}, row ${row}: column ${id} holds no id.`, {
          hint: 'Each row has the id of a text of the collection.',
        });
      yield text;
    }
  }

  /**
   * @param firstRow none before the end of what was read last
   * @returns [count, D]
   * @throws BenchError DATA_INVALID naming a row without a vector, or with one of another length
   */
  async read(firstRow: number, count: number): Promise<Float32Array> {
    if (firstRow < this.#next || firstRow + count > this.rows)
      throw new RangeError(`rows ${firstRow} to ${firstRow + count} of ${this.rows}, after ${this.#next}`);
    const vectors = new Float32Array(count * this.dimensions);
    this.#rows ??= this.#vectors();
    for (; this.#next < firstRow + count; this.#next++) {
      const { value } = await this.#rows.next();
      if (this.#next >= firstRow)
        vectors.set(value as Float32Array, (this.#next - firstRow) * this.dimensions);
    }
    return vectors;
  }

  async *#vectors(): AsyncGenerator<Float32Array> {
    const { file, dimensions, columns } = this;
    for await (const { row, values } of this.parquet.rows([columns.vector])) {
      const [vector] = values as [Float32Array | null];
      if (vector === null) throw withoutNumbers(file, row);
      if (vector.length !== dimensions)
        throw new BenchError(
          code,
          `${file}, row ${row}: its vector has ${vector.length} numbers, and that of the first row ${dimensions}.`,
          { hint: 'All vectors of a model have one length.' },
        );
      yield vector;
    }
  }

  async close(): Promise<void> {
    await this.#rows?.return(undefined);
    await this.parquet.close();
  }
}

const withoutNumbers = (file: string, row: number): BenchError =>
  new BenchError(code, `${file}, row ${row}: it holds no vector.`, {
    hint: 'Leave out the rows of texts that have none, or make their vectors.',
  });

function columnsOf({ path, columns }: ParquetFile): { id: string; vector: string } {
  const has = `It has: ${columns.map(({ name, type }) => `${name} (${type})`).join(', ') || 'none'}.`;
  const id = idNames.flatMap((name) => columns.find((column) => column.name === name) ?? [])[0];
  const fault = (what: string) =>
    new BenchError(code, `${path} ${what}. ${has}`, {
      hint: 'It holds a column _id or id of texts or whole numbers, and one column of lists of floating-point numbers.',
    });
  if (id === undefined) throw fault(`has no column ${idNames.join(' or ')}`);
  if (id.kind !== 'text' && id.kind !== 'whole') throw fault(`has a column ${id.name} that holds no ids`);
  const lists = columns.filter(({ kind }: ParquetColumn) => kind === 'numbers');
  if (lists.length !== 1)
    throw fault(
      lists.length === 0
        ? 'has no column of lists of floating-point numbers'
        : `has ${lists.length} columns of lists of numbers, ${lists.map(({ name }) => name).join(' and ')}`,
    );
  return { id: id.name, vector: lists[0]!.name };
}
