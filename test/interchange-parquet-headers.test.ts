/** Page headers of parquet files, of any length. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { thriftEnd } from '../harness/interchange/parquet/thrift.js';
import { ParquetFile, type ParquetValue } from '../harness/interchange/parquet-file.js';
import { inFixtures } from './places.js';

const folder = mkdtempSync(path.join(tmpdir(), 'strata-parquet-headers-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** What is read of the first column. */
async function ids(bytes: Buffer): Promise<(ParquetValue | undefined)[]> {
  const file = path.join(folder, 'input.parquet');
  writeFileSync(file, bytes);
  const opened = await ParquetFile.open(file, 'DATA_INVALID');
  try {
    const read: (ParquetValue | undefined)[] = [];
    for await (const { values } of opened.rows(['_id'])) read.push(values[0]);
    return read;
  } finally {
    await opened.close();
  }
}

test('a page header of up to a MiB is read, and no larger one', async () => {
  const whole = readFileSync(inFixtures('parquet/plain.parquet'));
  const footer = whole.length - 8 - whole.readUInt32LE(whole.length - 8);
  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
  // The pages of the first column begin at byte 4 and have 2312 bytes.
  const said = (size: number) => Buffer.from([0x16, ...varint(2 * size), 0x26, ...varint(2 * 4)]);
  const at = whole.indexOf(said(2312), footer);
  const stop = thriftEnd(whole, 4)! - 1;
  /** The first header ends with a text that no reader knows, so that it has so many bytes. */
  const withHeader = (bytes: number): Buffer => {
    const text = bytes - (stop - 4) - 5;
    const field = Buffer.concat([Buffer.from([0xf8, ...varint(text)]), Buffer.alloc(text)]);
    assert.equal(field.length, text + 4);
    const pages = [whole.subarray(0, stop), field, whole.subarray(stop, footer)];
    const changed = [whole.subarray(footer, at), said(2312 + field.length)];
    const foot = Buffer.concat([...changed, whole.subarray(at + said(2312).length, -8)]);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(foot.length);
    return Buffer.concat([...pages, foot, length, whole.subarray(-4)]);
  };
  for (const bytes of [1 << 16, 1 << 20]) {
    const read = await ids(withHeader(bytes));
    assert.equal(read.length, 300);
    assert.ok(read.every((id, i) => id === `d${i}`));
  }
  await assert.rejects(ids(withHeader((1 << 20) + 1)), {
    code: 'DATA_INVALID',
    message: /column _id has no whole page header at byte 4\./,
  });
});
