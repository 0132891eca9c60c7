/** Parquet files that pyarrow wrote (test/fixtures/parquet/make-parquet.py), and what is wrong with others. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { SchemaElement } from 'hyparquet';
import { Unpacker } from '../harness/interchange/parquet/compression.js';
import { PageReader } from '../harness/interchange/parquet/page.js';
import { checkDeltas, checkHybrid } from '../harness/interchange/parquet/runs.js';
import { kindOf, topLevel } from '../harness/interchange/parquet/schema.js';
import { thriftEnd } from '../harness/interchange/parquet/thrift.js';
import { ParquetFile, type ParquetValue } from '../harness/interchange/parquet-file.js';
import { inFixtures } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-parquet-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string) => inFixtures(`parquet/${name}.parquet`);
const expected = JSON.parse(readFileSync(inFixtures('parquet/values.json'), 'utf8')) as Record<
  string,
  ParquetValue[]
>;
const names = Object.keys(expected);

async function read(file: string, columns: readonly string[] = names): Promise<ParquetValue[][]> {
  const opened = await ParquetFile.open(file, 'DATA_INVALID');
  try {
    const rows: ParquetValue[][] = [];
    for await (const { row, values } of opened.rows(columns)) {
      assert.equal(row, rows.length + 1);
      rows.push([...values]);
    }
    assert.equal(rows.length, opened.rowCount);
    return rows;
  } finally {
    await opened.close();
  }
}

/** Numbers of 64 bits are bigints here, and in the JSON those of the values are exact. */
const plain = (value: ParquetValue | undefined) => (typeof value === 'bigint' ? Number(value) : value);

for (const name of [
  ...['none', 'snappy', 'gzip', 'brotli', 'zstd', 'pages', 'plain'],
  ...['version2', 'version2-plain', 'deltas', 'deltas-version2'],
]) {
  test(`${name}.parquet holds what pyarrow was given`, async () => {
    const rows = await read(fixture(name));
    assert.equal(rows.length, 300);
    for (const [i, values] of rows.entries())
      assert.deepEqual(
        values.map(plain),
        names.map((column) => expected[column]![i]),
        `row ${i}`,
      );
    const backwards = [...names].reverse();
    assert.deepEqual((await read(fixture(name), backwards))[7], [...rows[7]!].reverse());
  });
}

test('an empty table, numbers of 64 bits, columns behind nested ones, and what is not read', async () => {
  assert.deepEqual(await read(fixture('empty')), []);
  const large = await read(fixture('plain'), ['large']);
  assert.deepEqual(large[1], [-(2n ** 53n + 3n)]);
  const others = await ParquetFile.open(fixture('others'), 'DATA_INVALID');
  await others.close();
  assert.deepEqual(
    others.columns.map(({ name, kind, type }) => [name, kind, type]),
    [
      ['bytes', 'other', 'BYTE_ARRAY'],
      ['list', 'other', 'LIST'],
      ['struct', 'other', 'a group of columns'],
      ['date', 'other', 'INT32 DATE'],
      ['flag', 'other', 'BOOLEAN'],
      ['decimal', 'other', 'FIXED_LEN_BYTE_ARRAY DECIMAL'],
      ['time', 'other', 'INT64 TIMESTAMP_MICROS'],
      ['unsigned', 'whole', 'INT64 UINT_64'],
      ['byte', 'whole', 'INT32 INT_8'],
      ['single', 'number', 'FLOAT'],
      ['text', 'text', 'BYTE_ARRAY UTF8'],
    ],
  );
  assert.deepEqual(await read(fixture('others'), ['text', 'unsigned', 'byte', 'single']), [
    ['behind', 0n, -1, 0.5],
    ['all of them', 2n ** 63n + 1n, 7, -2.25],
  ]);
});

const refused = (file: string, message: RegExp, columns: readonly string[] = names) =>
  assert.rejects(read(file, columns), (error: { code?: string; message: string }) => {
    assert.equal(error.code, 'DATA_INVALID', String(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(file));
    return true;
  });

test('what is not read is refused by name', async () => {
  await refused(
    fixture('lz4'),
    /column _id is packed by LZ4.*; known: UNCOMPRESSED, SNAPPY, GZIP, BROTLI, ZSTD/,
  );
  await assert.rejects(read(fixture('lz4'), names), { hint: /Write it again with another codec/ });
  await refused(fixture('byte-array-deltas'), /BYTE_ARRAY is encoded as DELTA_BYTE_ARRAY, which is not read/);
  await refused(fixture('others'), /column list is not one that is read/, ['list']);
  await refused(fixture('others'), /column nothing is not one that is read/, ['nothing']);
  await assert.rejects(ParquetFile.open(folder, 'DATA_INVALID'), { code: 'PATH_INVALID' });
  await assert.rejects(ParquetFile.open(path.join(folder, 'none'), 'DATA_INVALID'), { code: 'PATH_INVALID' });
});

const laid = (bytes: Uint8Array): string => {
  const file = path.join(folder, 'input.parquet');
  writeFileSync(file, bytes);
  return file;
};

test('a file that is cut, anywhere, is refused', async () => {
  const whole = readFileSync(fixture('snappy'));
  await refused(
    laid(Buffer.from('<html>Please log in to go on</html>')),
    /begins with "<htm", not with PAR1/,
  );
  await refused(laid(Buffer.from('PAR1')), /too few for a footer/);
  await refused(laid(Buffer.concat([Buffer.from('PARE'), whole.subarray(4)])), /encrypted/);
  for (let length = 12; length < whole.length; length += 97)
    await refused(laid(whole.subarray(0, length)), /does not end with PAR1: it is cut off/);
  // Bytes missing in the middle: footer and end are right.
  for (const at of [4, 100, 3000])
    await refused(
      laid(Buffer.concat([whole.subarray(0, at), whole.subarray(at + 50)])),
      /not a usable parquet/,
    );
  const length = whole.readUInt32LE(whole.length - 8);
  for (const wrong of [whole.length, 0xffffffff, length - 40, 0]) {
    const copy = Buffer.from(whole);
    copy.writeUInt32LE(wrong, copy.length - 8);
    await refused(laid(copy), /not a usable parquet file/);
  }
});

test('a text that is no UTF-8 is refused', async () => {
  const copy = readFileSync(fixture('plain'));
  const at = copy.indexOf('title 1');
  copy[at] = 0xff;
  await refused(laid(copy), /a text is not valid UTF-8/);
});

test('whatever byte is another one, it is read or refused, and never for long', async () => {
  for (const name of ['deltas-version2', 'pages', 'snappy', 'zstd']) {
    const whole = readFileSync(fixture(name));
    for (let i = 0; i < 40; i++) {
      const copy = Buffer.from(whole);
      const at = (i * 2_654_435_761) % copy.length;
      copy[at] = [0xff, 0x00, copy[at]! ^ 0x80, copy[at]! + 1][i % 4]!;
      await read(laid(copy)).catch((error: { code?: string }) =>
        assert.ok(error.code === 'DATA_INVALID', `${name}, byte ${at}: ${String(error)}`),
      );
    }
  }
  copyFileSync(fixture('zstd'), path.join(folder, 'input.parquet'));
  assert.equal((await read(path.join(folder, 'input.parquet'))).length, 300);
});

test('sizes that are only claimed are looked at before memory is taken', async () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  // A list of 2^28 structures, a text of 2^28 bytes: they end before that.
  assert.equal(thriftEnd(bytes(0x19, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 0), 0), undefined);
  assert.equal(thriftEnd(bytes(0x18, 0x80, 0x80, 0x80, 0x80, 0x01, 0), 0), undefined);
  assert.equal(thriftEnd(bytes(0x15, 0x02, 0x00, 0xff), 0), 3);
  assert.throws(
    () => thriftEnd(bytes(0x15, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 0),
    /more than 5 bytes/,
  );
  assert.throws(() => thriftEnd(bytes(0x1b, 0), 0), /unknown type 11/);
  assert.throws(() => thriftEnd(new Uint8Array(50).fill(0x1c), 0), /nested deeper/);
  assert.throws(() => thriftEnd(new Uint8Array(60).fill(0x19), 0), /nested deeper/);
  // A run of 2^27 values where four are left; packed values of which there are no bytes.
  assert.throws(
    () => checkHybrid(bytes(0x80, 0x80, 0x80, 0x80, 0x01, 1), 0, 6, 1, 4),
    /run of 134217728 values/,
  );
  assert.throws(
    () => checkHybrid(bytes(0x81, 0x80, 0x80, 0x80, 0x01), 0, 5, 0, 4),
    /packed values where 4 are left/,
  );
  assert.throws(() => checkHybrid(bytes(0x03), 0, 1, 8, 4), /ends within its values/);
  assert.throws(() => checkHybrid(bytes(0x08), 0, 1, 8, 4), /ends within its values/);
  assert.throws(() => checkHybrid(bytes(0x08, 1), 0, 2, 40, 4), /values of 40 bits/);
  checkHybrid(bytes(0x08, 1), 0, 2, 1, 4);
  // Blocks of 2^31 parts; parts of no differences; other counts; 99 bits.
  const deltas =
    (...values: number[]) =>
    () =>
      checkDeltas(bytes(...values), 0, 3, 64);
  assert.throws(
    deltas(0x80, 1, 0xff, 0xff, 0xff, 0xff, 0x07, 3, 0),
    /blocks of 128 differences in 2147483647 parts/,
  );
  assert.throws(deltas(0, 4, 3, 0), /blocks of 0 differences/);
  assert.throws(deltas(0x80, 1, 0, 3, 0), /in 0 parts/);
  assert.throws(deltas(0x80, 1, 4, 9, 0), /9 differences for 3 values/);
  assert.throws(deltas(0x80, 1, 4, 3, 0, 0, 99, 0, 0, 0), /differences of 99 bits/);
  assert.equal(deltas(0x80, 1, 4, 3, 0, 0, 0, 0, 0, 0)(), 10);
  const unpacker = new Unpacker();
  await unpacker.prepare('ZSTD');
  const unpack = (codec: 'SNAPPY' | 'ZSTD' | 'GZIP', packed: Uint8Array) => () =>
    unpacker.unpack(packed, codec, 9);
  // A literal of almost 2^32 bytes leads the decoder back to where it was, for ever.
  assert.throws(unpack('SNAPPY', bytes(9, 0xfc, 0xf0, 0xff, 0xff, 0xff, 1, 2, 3)), /more comes than 9 bytes/);
  assert.throws(unpack('SNAPPY', bytes(9, 0x20, 1, 2)), /in the middle of an element/);
  assert.throws(unpack('SNAPPY', bytes(9)), /does not unpack/);
  assert.throws(unpack('ZSTD', bytes(1, 2, 3)), /unpacks to 0 bytes, and its header says 9/);
  assert.throws(unpack('GZIP', bytes(1, 2, 3)), /does not unpack \(GZIP\)/);
});

test('the sizes that a page header says are whole numbers, none below 0, and no more than there is', () => {
  const packedBytes = (packed: unknown, size: unknown, left = 100) =>
    PageReader.packedBytes({ compressed_page_size: packed, uncompressed_page_size: size } as never, left);
  assert.equal(packedBytes(0, 0), 0);
  assert.equal(packedBytes(100, 2000), 100);
  for (const wrong of [-1, -(2 ** 31), 0.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null, undefined]) {
    assert.throws(() => packedBytes(wrong, 1), /a page has .* bytes where 100 are left/, `${wrong}`);
    assert.throws(() => packedBytes(1, wrong), /a page of 1 bytes would unpack to/, `${wrong}`);
  }
  assert.throws(() => packedBytes(101, 1), /a page has 101 bytes where 100 are left/);
});

test('a list is a chain of groups down to its numbers; a group of several columns is none', () => {
  const element = (name: string, more: Partial<SchemaElement>): SchemaElement => ({ name, ...more });
  const kinds = (...elements: SchemaElement[]) =>
    topLevel([element('root', { num_children: 1 }), ...elements]).map((column) => [
      column.path.length,
      kindOf(column),
    ]);
  const repeated = { repetition_type: 'REPEATED' } as const;
  const float = { type: 'FLOAT' } as const;
  const list = element('v', { num_children: 1, converted_type: 'LIST' });
  const group = element('list', { num_children: 1, ...repeated });
  assert.deepEqual(kinds(list, group, element('element', float)), [[3, 'numbers']]);
  assert.deepEqual(kinds(list, element('element', { ...repeated, ...float })), [[2, 'numbers']]);
  assert.deepEqual(kinds(element('v', { ...repeated, ...float })), [[1, 'numbers']]);
  // Two columns within it, of which one alone is repeated; and a chain that is one group too long.
  const pair = element('v', { num_children: 2, converted_type: 'LIST' });
  assert.deepEqual(kinds(pair, element('a', { ...repeated, ...float }), element('b', float)), [[1, 'other']]);
  assert.deepEqual(kinds(list, group, element('more', { num_children: 1 }), element('element', float)), [
    [1, 'other'],
  ]);
});
