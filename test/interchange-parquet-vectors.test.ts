/** Vectors in Parquet as pyarrow writes them (test/fixtures/parquet/make-vectors.py), and what is wrong with others. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { rowsOfLists } from '../harness/interchange/parquet/lists.js';
import type { Page } from '../harness/interchange/parquet/page.js';
import { ParquetVectors } from '../harness/interchange/parquet-vectors.js';
import { inFixtures } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-parquet-vectors-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const fixture = (name: string) => inFixtures(`parquet/vectors-${name}.parquet`);
const expected = JSON.parse(readFileSync(inFixtures('parquet/vectors.json'), 'utf8')) as {
  ids: string[];
  vectors: number[][];
};

async function read(file: string): Promise<{ ids: string[]; vectors: number[] }> {
  const opened = await ParquetVectors.open(file);
  try {
    const ids: string[] = [];
    for await (const id of opened.identifiers()) ids.push(id);
    return { ids, vectors: [...(await opened.read(0, opened.rows))] };
  } finally {
    await opened.close();
  }
}

for (const name of [
  ...['float32', 'float64', 'float16', 'fixed', 'large', 'split', 'pages', 'pages2', 'old', 'required'],
]) {
  test(`${name}: ids and numbers are those that pyarrow was given`, async () => {
    const { ids, vectors } = await read(fixture(name));
    assert.deepEqual(ids, name === 'required' ? expected.ids.map((id) => id.slice(1)) : expected.ids);
    assert.deepEqual(vectors, expected.vectors.flat());
  });
}

test('rows come in their order, and some may be passed over', async () => {
  const opened = await ParquetVectors.open(fixture('pages'));
  try {
    assert.equal(opened.dimensions, 6);
    assert.deepEqual([...(await opened.read(3, 2))], expected.vectors.slice(3, 5).flat());
    assert.deepEqual([...(await opened.read(20, 20))], expected.vectors.slice(20).flat());
    await assert.rejects(opened.read(3, 1), RangeError);
    await assert.rejects(opened.read(40, 1), RangeError);
  } finally {
    await opened.close();
  }
});

const refused = (file: string, message: RegExp) =>
  assert.rejects(read(file), (error: { code?: string; message: string }) => {
    assert.equal(error.code, 'DATA_INVALID', String(error));
    assert.match(error.message, message);
    assert.ok(error.message.includes(file));
    return true;
  });

test('rows that are no vectors are refused by their number', async () => {
  await refused(fixture('ragged'), /row 3: its vector has 5 numbers, and that of the first row 6/);
  await refused(fixture('null-row'), /row 2: it holds no vector/);
  await refused(fixture('empty-row'), /row 2: it holds no vector/);
  await refused(
    fixture('null-number'),
    /column vector, row 2 of a row group: number 2 of its list is absent/,
  );
  await refused(fixture('null-id'), /row 2: column _id holds no id/);
  await refused(fixture('none'), /has no rows/);
});

test('columns that are others are refused with those that are there', async () => {
  const none = /has no column of lists of floating-point numbers\. It has: _id \(BYTE_ARRAY UTF8\), vector/;
  await refused(fixture('whole'), none);
  await refused(fixture('nested'), none);
  await refused(fixture('numbers'), none);
  await refused(fixture('two'), /has 2 columns of lists of numbers, vector and other/);
  await refused(inFixtures('parquet/others.parquet'), /has no column _id or id\. It has: bytes/);
});

test('a file that is cut, or whose levels lie, is refused', async () => {
  const file = path.join(folder, 'input.parquet');
  for (const name of ['pages', 'pages2']) {
    const whole = readFileSync(fixture(name));
    for (let length = 12; length < whole.length; length += 89) {
      writeFileSync(file, whole.subarray(0, length));
      await refused(file, /does not end with PAR1: it is cut off/);
    }
    for (const at of [200, 900]) {
      writeFileSync(file, Buffer.concat([whole.subarray(0, at), whole.subarray(at + 40)]));
      await refused(file, /not a usable parquet file/);
    }
  }
});

test('lists go on in the next page; what lies about rows is refused', async () => {
  const rows = async (stated: number, ...pages: Page[]) => {
    const found: (number[] | null)[] = [];
    const each = async function* () {
      yield* pages;
    };
    for await (const some of rowsOfLists('v', stated, each()))
      found.push(...some.map((list) => list && [...list]));
    return found;
  };
  const first = { values: [1, 2, 3], repetitions: [0, 1, 0] };
  const second = { values: [4, null, 5], repetitions: [1, 0, 0] };
  assert.deepEqual(await rows(4, first, second), [[1, 2], [3, 4], null, [5]]);
  await assert.rejects(rows(3, first, second), /column v has more than its 3 rows/);
  await assert.rejects(rows(3, second), /goes on with a row that has not begun/);
  await assert.rejects(rows(1, { values: [1, null], repetitions: [0, 1] }), /number 2 of its list is absent/);
  const long = { values: new Array<number>(70_000).fill(1), repetitions: new Uint8Array(70_000).fill(1) };
  long.repetitions[0] = 0;
  await assert.rejects(rows(1, long), /a list of more than 65536 numbers/);
});
