/** One page of a column: its header, checked, and its values. */
import type { PageHeader, SchemaElement } from 'hyparquet';
import { convert, convertWithDictionary } from 'hyparquet/src/convert.js';
import { readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import type { Codec, Unpacker } from './compression.js';
import { checkValues, leastBytesOf, type PhysicalType } from './encodings.js';
import { ParquetFault } from './fault.js';
import { bitsOf, presentIn } from './levels.js';
import { checkHybrid } from './runs.js';

export type Value = string | number | bigint | null;

/** Values of a page. A writer makes pages of a MiB, or of 20,000 values. */
const mostValues = 1 << 22;
/** Bytes of a page, unpacked; one that is larger than the first holds at most `largestRatio` times its packed bytes. */
const [largestUnchecked, largestPage, largestRatio] = [1 << 26, 1 << 28, 100];

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const parsers = {
  stringFromBytes(bytes: Uint8Array | undefined): string | undefined {
    try {
      return bytes && strict.decode(bytes);
    } catch {
      throw new ParquetFault('a text is not valid UTF-8');
    }
  },
};

/** What every page of a column needs to be read. */
export interface PageColumn {
  /** What holds the values, and how it is come to from below the root. */
  element: SchemaElement;
  path: readonly SchemaElement[];
  type: PhysicalType;
  codec: Codec;
}

/** Values in their order; null where one, or the list that it would be in, is absent. */
export interface Page {
  values: Value[];
  /** Of lists: 0 where a row begins. */
  repetitions?: ArrayLike<number>;
}

type Decoded = Parameters<typeof convert>[0];

/** The pages of one column of one row group, in their order: what they need of each other. */
export class PageReader {
  readonly #column: PageColumn;
  readonly #unpacker: Unpacker;
  /** The level of a value that is there, and of one that goes on with a row. */
  readonly #levels: { definition: number; repetition: number };
  readonly #decoder: Parameters<typeof convert>[1];
  #dictionary: Decoded | undefined;

  constructor(column: PageColumn, unpacker: Unpacker) {
    this.#column = column;
    this.#unpacker = unpacker;
    const { element, path, type } = column;
    this.#levels = {
      definition: path.filter(({ repetition_type: how }) => how !== 'REQUIRED').length,
      repetition: path.filter(({ repetition_type: how }) => how === 'REPEATED').length,
    };
    const root = { repetition_type: 'REQUIRED', name: 'schema' } as SchemaElement;
    const node = (of: SchemaElement) => ({ children: [], count: 0, element: of, path: [of.name] });
    this.#decoder = {
      // Pages are unpacked here.
      ...{ element, type, codec: 'UNCOMPRESSED' },
      ...{ pathInSchema: path.map(({ name }) => name), schemaPath: [root, ...path].map(node) },
      parsers,
    } as unknown as Parameters<typeof convert>[1];
  }

  /** Bytes of a page as they lie in the file, from its header. @throws ParquetFault for sizes that cannot be */
  static packedBytes(header: PageHeader, left: number): number {
    const { compressed_page_size: packed, uncompressed_page_size: size } = header;
    if (!isCount(packed) || packed > left)
      throw new ParquetFault(`a page has ${packed} bytes where ${left} are left of its column`);
    const most = Math.min(largestPage, Math.max(largestUnchecked, packed * largestRatio));
    if (!isCount(size) || size > most)
      throw new ParquetFault(`a page of ${packed} bytes would unpack to ${size}`);
    return packed;
  }

  /**
   * @param left values of the column that have not come yet
   * @returns the values of a page; none of one that holds a dictionary
   * @throws ParquetFault
   */
  read(header: PageHeader, packed: Uint8Array, left: number): Page {
    if (header.type === 'DICTIONARY_PAGE') {
      this.#readDictionary(header, packed);
      return { values: [] };
    }
    const { data_page_header: first, data_page_header_v2: second } = header;
    const described =
      header.type === 'DATA_PAGE' ? first : header.type === 'DATA_PAGE_V2' ? second : undefined;
    if (described === undefined)
      throw new ParquetFault(`a page is of the type ${header.type}, which is not read`);
    const count = described.num_values;
    if (!isCount(count) || count > left || count > mostValues)
      throw new ParquetFault(`a page has ${count} values where ${left} are left`);
    if (count === 0) return { values: [] };
    const page = header.type === 'DATA_PAGE' ? this.#first(header, packed) : this.#second(header, packed);
    const values = this.#withNulls(page, described.encoding, count);
    return this.#levels.repetition === 0 ? { values } : { values, repetitions: page.repetitionLevels };
  }

  /** A page of version 1: levels and values are packed together. */
  #first(header: PageHeader, packed: Uint8Array) {
    const described = header.data_page_header!;
    const { num_values: count, encoding } = described;
    const { type } = this.#column;
    const bytes = this.#unpack(packed, header.uncompressed_page_size);
    let at = 0;
    let present = count;
    const { definition, repetition } = this.#levels;
    const levels = (encoding: string | undefined, largest: number): number => {
      if (encoding !== 'RLE') throw new ParquetFault(`its levels are encoded as ${encoding}`);
      const from = at + 4;
      const length = bytes.length < from ? Infinity : new DataView(bytes.buffer).getUint32(at, true);
      at = from + length;
      checkHybrid(bytes, from, at, bitsOf(largest), count);
      return from;
    };
    if (repetition > 0) levels(described.repetition_level_encoding, repetition);
    if (definition > 0)
      present = presentIn(bytes, levels(described.definition_level_encoding, definition), count, definition);
    checkValues(bytes, at, encoding, present, type, this.#dictionary !== undefined);
    return readDataPage(bytes, described, this.#decoder);
  }

  /** A page of version 2: levels lie before the packed values, and are never packed. */
  #second(header: PageHeader, packed: Uint8Array) {
    const described = header.data_page_header_v2!;
    const { num_values: count, num_nulls: nulls, num_rows: rows, encoding } = described;
    const { definition, repetition } = this.#levels;
    const { type } = this.#column;
    const before = described.repetition_levels_byte_length;
    const levels = before + described.definition_levels_byte_length;
    if (!isCount(before) || !isCount(levels) || levels < before || levels > packed.length)
      throw new ParquetFault(`a page has levels of ${before} and ${levels - before} bytes`);
    if (repetition === 0 && before !== 0) throw new ParquetFault('a page has lists where there are none');
    if ((repetition === 0 ? rows !== count : rows > count) || !isCount(nulls) || nulls > count)
      throw new ParquetFault(`a page has ${count} values in ${rows} rows, ${nulls} of them absent`);
    const size = header.uncompressed_page_size - levels;
    if (size < 0) throw new ParquetFault(`a page has levels of ${levels} bytes`);
    const isPacked = described.is_compressed !== false;
    const behind = packed.subarray(levels);
    const values = isPacked ? this.#unpack(behind, size) : behind;
    if (values.length !== size) throw new ParquetFault(`a page has ${values.length} bytes and says ${size}`);
    const bytes = new Uint8Array(levels + size);
    bytes.set(packed.subarray(0, levels));
    bytes.set(values, levels);
    let present = count;
    if (repetition > 0) checkHybrid(bytes, 0, before, bitsOf(repetition), count);
    if (definition > 0) {
      checkHybrid(bytes, before, levels, bitsOf(definition), count);
      present = presentIn(bytes, before, count, definition);
    }
    if (present !== count - nulls)
      throw new ParquetFault(`a page says that ${nulls} values are absent, and ${count - present} are`);
    checkValues(bytes, levels, encoding, present, type, this.#dictionary !== undefined);
    const plain = { ...header, data_page_header_v2: { ...described, is_compressed: false } };
    return readDataPageV2(bytes, plain, this.#decoder);
  }

  #unpack(packed: Uint8Array, size: number): Uint8Array {
    return this.#unpacker.unpack(packed, this.#column.codec, size);
  }

  #readDictionary(header: PageHeader, packed: Uint8Array): void {
    const described = header.dictionary_page_header;
    const { type, element } = this.#column;
    const bytes = this.#unpack(packed, header.uncompressed_page_size);
    const count = described?.num_values;
    if (described === undefined || !['PLAIN', 'PLAIN_DICTIONARY'].includes(described.encoding))
      throw new ParquetFault(`its dictionary is encoded as ${described?.encoding}`);
    if (!isCount(count) || count > mostValues || count * leastBytesOf(type) > bytes.length)
      throw new ParquetFault(`a dictionary of ${bytes.length} bytes cannot hold ${count} values`);
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    const values = readPlain(reader, type, count, element.type_length);
    this.#dictionary = convert(values, this.#decoder);
  }

  /** The values in the places of their rows. */
  #withNulls(page: ReturnType<typeof readDataPage>, encoding: string, count: number): Value[] {
    const { definitionLevels, dataPage } = page;
    const dictionary = encoding.endsWith('_DICTIONARY') ? this.#dictionary : undefined;
    const values = convertWithDictionary(dataPage, dictionary, encoding as never, this.#decoder);
    const levels = definitionLevels?.length ? definitionLevels : undefined;
    const rows = new Array<Value>(count);
    let next = 0;
    for (let i = 0; i < count; i++) {
      if (levels !== undefined && levels[i] !== this.#levels.definition) {
        rows[i] = null;
        continue;
      }
      const value = values[next++] as Value | undefined;
      if (value === undefined)
        throw new ParquetFault('a page refers to a value that its dictionary does not have');
      rows[i] = value;
    }
    return rows;
  }
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;
