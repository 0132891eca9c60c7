/** The file of codes as its description says it: where everything stands, and what is none. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  type CodeFacts,
  headerBytes,
  placesOf,
  readLayout,
  widthOf,
  writeHeader,
} from '../harness/searchers/exact/code-file.js';
import { partsOf } from '../harness/searchers/exact/scan-threads.js';
import { AtomicFile } from '../harness/store/atomic.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-codes-');

test('a row takes a byte or a bit a number, in steps of 16 bytes; without codes nothing', () => {
  const widths = (coding: CodeFacts['coding'], ...dimensions: number[]) =>
    dimensions.map((each) => widthOf(coding, each));
  assert.deepEqual(widths('int8', 1, 16, 17, 768), [16, 16, 32, 768]);
  assert.deepEqual(widths('binary', 1, 128, 129, 768), [16, 16, 32, 96]);
  assert.deepEqual(widths('none', 1, 768), [0, 0]);
});

test('codes, then scales, then errors of int8 alone', () => {
  assert.equal(headerBytes, 64);
  assert.deepEqual(placesOf({ coding: 'int8', rows: 3, width: 32 }), {
    codes: 64,
    scales: 160,
    errors: 172,
    end: 184,
  });
  assert.deepEqual(placesOf({ coding: 'binary', rows: 3, width: 16 }), {
    codes: 64,
    scales: 112,
    errors: 124,
    end: 124,
  });
  assert.deepEqual(placesOf({ coding: 'none', rows: 3, width: 0 }), {
    codes: 64,
    scales: 64,
    errors: 64,
    end: 64,
  });
});

async function written(facts: CodeFacts): Promise<string> {
  const file = path.join(folder, `${facts.coding}-${facts.unit}`);
  const writing = await AtomicFile.create(file);
  const width = widthOf(facts.coding, facts.dimensions);
  await writing.write(Buffer.alloc(placesOf({ ...facts, width }).end));
  await writeHeader(writing, facts);
  await writing.commit();
  return file;
}

test('the header byte for byte, and read back', async () => {
  for (const [number, coding] of (['int8', 'binary', 'none'] as const).entries())
    for (const unit of [true, false]) {
      const facts = { coding, dimensions: 20, unit, rows: 5 };
      const file = await written(facts);
      const header = readFileSync(file).subarray(0, 64);
      const expected = Buffer.alloc(64);
      expected.write('strata index');
      for (const [i, value] of [1, number + 1, 20, unit ? 1 : 0, 0].entries())
        expected.writeUInt32LE(value, 12 + 4 * i);
      expected.writeUInt32LE(5, 32);
      assert.deepEqual(header, expected);
      const { unit: _, ...wanted } = facts;
      assert.deepEqual(await readLayout(file, wanted), { ...facts, file, width: widthOf(coding, 20) });
    }
});

test('a file that says or holds anything else is damaged, by what it says', async () => {
  const wanted = { coding: 'int8', dimensions: 20, rows: 5 } as const;
  const whole = readFileSync(await written({ ...wanted, unit: true }));
  const file = path.join(folder, 'damaged');
  const refuses = async (
    bytes: Uint8Array,
    message: RegExp,
    asked: Parameters<typeof readLayout>[1] = wanted,
  ) => {
    writeFileSync(file, bytes);
    await assert.rejects(readLayout(file, asked), { code: 'CACHE_INVALID', message });
  };
  const changed = (at: number, byte: number) => {
    const copy = Buffer.from(whole);
    copy[at] = byte;
    return copy;
  };
  await refuses(changed(0, 83), /is no index of exact/);
  await refuses(changed(12, 2), /is no index of exact/);
  await refuses(changed(24, 2), /is no index of exact/);
  for (const coding of [0, 4])
    await refuses(changed(16, coding), /says coding coding \d where int8 is meant/);
  await refuses(changed(16, 2), /says coding binary where int8 is meant/);
  await refuses(changed(20, 21), /says dimensions 21 where 20 is meant/);
  await refuses(changed(32, 6), /says rows 6 where 5 is meant/);
  await refuses(whole, /says rows 5 where 4 is meant/, { ...wanted, rows: 4 });
  await refuses(whole.subarray(0, 63), /holds 63 bytes, and its header 64/);
  await refuses(whole.subarray(0, 64), /holds 64 bytes where 264 are meant/);
  await refuses(whole.subarray(0, -1), /holds 263 bytes where 264 are meant/);
  await refuses(Buffer.concat([whole, Buffer.alloc(1)]), /holds 265 bytes where 264 are meant/);
});

test('rows are shared out to as many threads as have a MiB of codes each, all rows once and in order', () => {
  const width = 1024;
  const rowsOf = (rows: number, threads: number) =>
    partsOf({ rows, width }, threads).map((own) => own.map((part) => part.rows));
  assert.deepEqual(rowsOf(1, 8), [[1]]);
  assert.deepEqual(rowsOf(2047, 8), [[2047]]);
  assert.deepEqual(rowsOf(2048, 8), [[1024], [1024]]);
  assert.deepEqual(rowsOf(3073, 2), [[1537], [1536]]);
  assert.deepEqual(rowsOf(4096, 3), [[1366], [1366], [1364]]);
  assert.deepEqual(partsOf({ rows: 2048, width }, 2), [
    [{ firstRow: 0, rows: 1024 }],
    [{ firstRow: 1024, rows: 1024 }],
  ]);
});
