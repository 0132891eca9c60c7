/**
 * Apache Parquet, columns of texts, numbers and lists of numbers, read page by page: memory is that of one page of each column, whatever
 * the file's row groups. hyparquet decodes; what it would believe is checked before. https://parquet.apache.org/docs/
 */
import type { FileHandle } from 'node:fs/promises';
import type { ColumnMetaData, FileMetaData } from 'hyparquet';
import { BenchError, type ErrorCode } from '../errors.js';
import { turns } from '../interruption.js';
import { openPlain } from '../store/plain-file.js';
import { type Codec, codecs, Unpacker } from './parquet/compression.js';
import type { PhysicalType } from './parquet/encodings.js';
import { ParquetFault } from './parquet/fault.js';
import { countRows, type Footer, magic, readAt, readFooter } from './parquet/footer.js';
import { rowsOfLists } from './parquet/lists.js';
import { PageReader, type Value } from './parquet/page.js';
import { type ColumnKind, kindOf, type SchemaColumn, topLevel, typeText } from './parquet/schema.js';
import { thriftEnd } from './parquet/thrift.js';

/** Lists as `numbers` have them. */
export type ParquetValue = Value | Float32Array;
export type { ColumnKind } from './parquet/schema.js';

export interface ParquetColumn {
  name: string;
  kind: ColumnKind;
  /** As parquet calls its type. */
  type: string;
}

export interface ParquetRow {
  /** From 1. */
  row: number;
  /** In the order of the columns asked for; null where there is none. */
  values: readonly ParquetValue[];
}

/** A page header with its statistics: the bytes that are looked at first, and where they do not hold all of it. */
const headerBytes = [1 << 12, 1 << 16, 1 << 20];

/** An open file whose footer has been checked. */
export class ParquetFile {
  readonly path: string;
  readonly rowCount: number;
  readonly columns: readonly ParquetColumn[];
  readonly #handle: FileHandle;
  readonly #code: ErrorCode;
  readonly #metadata: FileMetaData;
  readonly #dataEnd: number;
  readonly #schema: readonly SchemaColumn[];

  private constructor(path: string, handle: FileHandle, code: ErrorCode, footer: Footer) {
    this.path = path;
    this.#handle = handle;
    this.#code = code;
    this.#metadata = footer.metadata;
    this.#dataEnd = footer.dataEnd;
    this.#schema = topLevel(footer.metadata.schema);
    this.columns = this.#schema.map((column) => ({
      name: column.element.name,
      kind: kindOf(column),
      type: typeText(column.element),
    }));
    this.rowCount = countRows(footer.metadata);
  }

  /** @throws BenchError PATH_INVALID where it is no file; `code` where it is no parquet file that can be read */
  static async open(path: string, code: ErrorCode): Promise<ParquetFile> {
    const handle = await openPlain(path).catch((cause) => {
      if (cause instanceof BenchError) throw cause;
      throw new BenchError('PATH_INVALID', `${path} cannot be opened: ${(cause as Error).message}`, {
        cause,
      });
    });
    try {
      return new ParquetFile(path, handle, code, await readFooter(handle));
    } catch (error) {
      await handle.close();
      throw asBenchError(error, path, code);
    }
  }

  /**
   * The rows, in the order of the file.
   * @param names columns of a kind that is read
   * @throws BenchError `code` for pages that are damaged, cut or lie
   */
  async *rows(names: readonly string[]): AsyncGenerator<ParquetRow> {
    const turn = turns();
    const unpacker = new Unpacker();
    let row = 0;
    try {
      for (const group of this.#metadata.row_groups) {
        const rows = Number(group.num_rows);
        // One without rows may say that its pages lie nowhere.
        if (rows === 0) continue;
        const columns = names.map((name) => this.#pages(this.#chunk(group, name), rows, unpacker));
        const pages: ParquetValue[][] = names.map(() => []);
        const at = names.map(() => 0);
        for (let done = 0; done < rows; done++) {
          const values: ParquetValue[] = new Array(names.length);
          for (let i = 0; i < names.length; i++) {
            while (at[i]! >= pages[i]!.length) {
              const next = await columns[i]!.next();
              if (next.done) throw new ParquetFault(`column ${names[i]} has ${done} of ${rows} values`);
              pages[i] = next.value;
              at[i] = 0;
              const due = turn();
              if (due !== undefined) await due;
            }
            values[i] = pages[i]![at[i]!++]!;
          }
          yield { row: ++row, values };
        }
      }
    } catch (error) {
      throw asBenchError(error, this.path, this.#code);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** Where the pages of a column lie, and how they are written. */
  #chunk({ columns }: FileMetaData['row_groups'][number], name: string): Chunk {
    const column = this.#schema.find((each) => each.element.name === name);
    const kind = column === undefined ? 'other' : kindOf(column);
    if (column === undefined || kind === 'other')
      throw new ParquetFault(`column ${name} is not one that is read`);
    const { path } = column;
    const element = path.at(-1)!;
    const found = columns.filter(
      ({ meta_data: meta }) =>
        meta?.path_in_schema.length === path.length &&
        path.every((each, i) => each.name === meta.path_in_schema[i]),
    );
    const meta = found[0]?.meta_data;
    if (meta === undefined || found.length !== 1 || found[0]!.file_path !== undefined)
      throw new ParquetFault(`a row group has no pages of column ${name}`);
    if (meta.type !== element.type)
      throw new ParquetFault(`column ${name} is ${element.type} and ${meta.type}`);
    const codec = codecs.find((each) => each === meta.codec);
    if (codec === undefined)
      throw new ParquetFault(
        `column ${name} is packed by ${meta.codec}; known: ${codecs.join(', ')}`,
        undefined,
        "Write it again with another codec: compression='zstd' in pyarrow, pandas and polars.",
      );
    const range = this.#range(name, meta);
    return {
      name,
      element,
      path,
      codec,
      count: Number(meta.num_values),
      isList: kind === 'numbers',
      ...range,
    };
  }

  #range(name: string, meta: ColumnMetaData): { start: number; end: number } {
    const dictionary = Number(meta.dictionary_page_offset ?? 0);
    const data = Number(meta.data_page_offset);
    // Some writers say 0 where there is no dictionary.
    const start = dictionary > 0 ? Math.min(dictionary, data) : data;
    const end = start + Number(meta.total_compressed_size);
    if (!(start >= magic.length && end >= start && end <= this.#dataEnd))
      throw new ParquetFault(`column ${name} is said to lie at bytes ${start}-${end} of ${this.#dataEnd}`);
    return { start, end };
  }

  /** The values of a column, some rows at a time. */
  #pages(chunk: Chunk, rows: number, unpacker: Unpacker): AsyncGenerator<ParquetValue[]> {
    const { name, count, isList } = chunk;
    if (isList) return rowsOfLists(name, rows, this.#rawPages(chunk, count, unpacker));
    return this.#flatPages(chunk, rows, unpacker);
  }

  async *#flatPages(chunk: Chunk, rows: number, unpacker: Unpacker): AsyncGenerator<Value[]> {
    for await (const { values } of this.#rawPages(chunk, rows, unpacker)) yield values;
  }

  /** @param count values in them all */
  async *#rawPages({ element, path, codec, start, end, name }: Chunk, count: number, unpacker: Unpacker) {
    const { parquetHeader } = await import('hyparquet/src/column.js');
    await unpacker.prepare(codec);
    const reader = new PageReader({ element, path, type: element.type as PhysicalType, codec }, unpacker);
    let left = count;
    for (let at = start; left > 0 && at < end; ) {
      const { bytes, length } = await this.#header(at, end, name);
      const header = parquetHeader({ view: new DataView(bytes.buffer), offset: 0 });
      at += length;
      const size = PageReader.packedBytes(header, end - at);
      const page = reader.read(header, await readAt(this.#handle, at, size), left);
      at += size;
      left -= page.values.length;
      if (page.values.length > 0) yield page;
    }
  }

  async #header(at: number, end: number, name: string): Promise<{ bytes: Uint8Array; length: number }> {
    for (const most of headerBytes) {
      const bytes = await readAt(this.#handle, at, Math.min(most, end - at));
      const length = thriftEnd(bytes, 0);
      if (length !== undefined) return { bytes, length };
    }
    throw new ParquetFault(`column ${name} has no whole page header at byte ${at}`);
  }
}

interface Chunk {
  name: string;
  /** What holds the values. */
  element: SchemaColumn['element'];
  path: SchemaColumn['path'];
  /** Values, as the file says. */
  count: number;
  isList: boolean;
  codec: Codec;
  start: number;
  end: number;
}

/** What the decoder says of bytes that it cannot read is said of the file. */
function asBenchError(error: unknown, path: string, code: ErrorCode): unknown {
  if (error instanceof BenchError) return error;
  // The disk's own.
  if ((error as NodeJS.ErrnoException).errno !== undefined) return error;
  return new BenchError(code, `${path} is not a usable parquet file: ${(error as Error).message}.`, {
    hint:
      (error instanceof ParquetFault ? error.hint : undefined) ??
      'Fetch or copy it again; columns of texts, numbers and lists of numbers are read, as pyarrow and datasets write them.',
    cause: error,
  });
}
