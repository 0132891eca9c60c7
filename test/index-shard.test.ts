import assert from 'node:assert/strict';
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { ShardReader, ShardWriter, shardBytes } from '../harness/index/shard.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { temporaryFolder } from './made-index.js';

/** What FAISS 1.7.3 wrote for an IndexFlatIP of 2 dimensions to which (1, -2), (0.5, 3) and (0, 0.001) were added. */
const writtenByFaiss =
  '4978464902000000030000000000000000001000000000000000100000000000010000000006000000000000000000803f' +
  '000000c00000003f00004040000000006f12833a';
const rows = Float32Array.of(1, -2, 0.5, 3, 0, 0.001);

async function write(file: string, ...parts: Float32Array[]): Promise<void> {
  const writer = await ShardWriter.create(file, 2);
  for (const part of parts) await writer.append(part);
  await writer.commit();
}

test('a shard is byte for byte the file FAISS writes', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.faiss');
  await write(file, rows.subarray(0, 2), rows.subarray(2));
  const bytes = await readFile(file);
  assert.equal(bytes.toString('hex'), writtenByFaiss);
  assert.equal(bytes.length, shardBytes(3, 2));
});

test('the FAISS of this machine reads a shard and writes the same bytes', async (t) => {
  const faiss = await loadFaiss().catch((error: Error) => error);
  if (faiss instanceof Error) return t.skip(faiss.message);
  const folder = await temporaryFolder(t);
  const ours = path.join(folder, 'ours.faiss');
  const theirs = path.join(folder, 'theirs.faiss');
  await write(ours, rows);
  const index = faiss.IndexFlatIP.read(ours);
  assert.equal(index.ntotal(), 3);
  assert.deepEqual(index.search([0, 1], 3).labels, [1, 2, 0]);
  const made = new faiss.IndexFlatIP(2);
  made.add([...rows]);
  made.write(theirs);
  assert.deepEqual(await readFile(theirs), await readFile(ours));
});

test('rows come back from anywhere in a shard', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.faiss');
  await write(file, rows);
  const reader = await ShardReader.open(file);
  t.after(() => reader.close());
  assert.deepEqual([reader.rows, reader.dimensions], [3, 2]);
  const into = new Float32Array(5).fill(9);
  await reader.read(1, 2, into);
  assert.deepEqual([...into], [0.5, 3, 0, Math.fround(0.001), 9]);
  await assert.rejects(reader.read(2, 2, into), RangeError);
  await assert.rejects(reader.read(0, 3, into), RangeError);
});

test('an empty shard is a shard', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.faiss');
  await write(file);
  const reader = await ShardReader.open(file);
  await reader.close();
  assert.equal(reader.rows, 0);
});

test('a shard larger than 4 GiB is read past the first 4 GiB', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.faiss');
  // A file with a hole: 4.5 GiB long, a few kB on the disk.
  const dimensions = 1024;
  const count = (4.5 * 2 ** 30) / (dimensions * 4);
  const header = Buffer.from(writtenByFaiss, 'hex').subarray(0, 45);
  header.writeInt32LE(dimensions, 4);
  header.writeBigInt64LE(BigInt(count), 8);
  header.writeBigUInt64LE(BigInt(count * dimensions), 37);
  await writeFile(file, header);
  await truncate(file, shardBytes(count - 1, dimensions));
  const last = Float32Array.from({ length: dimensions }, (_, i) => i);
  await writeFile(file, Buffer.from(last.buffer), { flag: 'a' });
  const reader = await ShardReader.open(file);
  t.after(() => reader.close());
  const into = new Float32Array(2 * dimensions).fill(9);
  await reader.read(count - 2, 2, into);
  assert.deepEqual(into.subarray(0, dimensions), new Float32Array(dimensions));
  assert.deepEqual(into.subarray(dimensions), last);
});

test('a shard that is not whole is refused', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.faiss');
  await write(file, rows);
  const whole = await readFile(file);
  const refuses = async (bytes: Uint8Array, message: RegExp) => {
    await writeFile(file, bytes);
    await assert.rejects(ShardReader.open(file), { code: 'CACHE_INVALID', message });
  };
  await refuses(whole.subarray(0, -1), /holds 68 bytes where its header says 69/);
  await refuses(Buffer.concat([whole, Buffer.of(0)]), /holds 70 bytes where its header says 69/);
  await refuses(whole.subarray(0, 44), /holds 44 bytes, fewer than the 45/);
  await refuses(Buffer.alloc(0), /holds 0 bytes/);
  const changed = (at: number, byte: number) => {
    const copy = Buffer.from(whole);
    copy[at] = byte;
    return copy;
  };
  await refuses(changed(3, 0x32), /begins with 'IxF2'/);
  await refuses(changed(7, 0x80), /claims -\d+ dimensions/);
  await refuses(changed(33, 1), /metric 1, not 0/);
  await refuses(changed(8, 4), /claims 4 rows of 2 dimensions, and 6 numbers/);
  await refuses(changed(15, 0xff), /claims -\d+ rows/);
  await assert.rejects(ShardReader.open(`${file}-none`), { code: 'CACHE_INVALID', message: /is missing/ });
});

test('nothing is seen of a shard before it is committed, and nothing stays of one given up', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = await ShardWriter.create(path.join(folder, 'a.faiss'), 2);
  await writer.append(rows);
  await assert.rejects(writer.append(rows.subarray(1)), RangeError);
  assert.ok(!(await readdir(folder)).includes('a.faiss'));
  await writer.abort();
  assert.deepEqual(await readdir(folder), []);
});
