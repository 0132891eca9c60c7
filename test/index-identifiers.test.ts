import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { Identifiers, IdentifierWriter, identifiersBytes } from '../harness/index/identifiers.js';
import { temporaryFolder } from './made-index.js';

test('100,000 ids come back by ordinal, and take the bytes foretold', async (t) => {
  const file = path.join(await temporaryFolder(t), 'identifiers');
  const idOf = (i: number) => (i % 1000 === 0 ? `Ünïcode-${i}-文書` : `${i}`);
  const writer = new IdentifierWriter(file);
  for (let i = 0; i < 100_000; i++) assert.equal(writer.append(idOf(i)), i);
  await writer.commit();
  const identifiers = await Identifiers.open(file);
  assert.equal(identifiers.count, 100_000);
  for (let i = 0; i < 100_000; i++) assert.equal(identifiers.at(i), idOf(i));
  let idBytes = 0;
  for (let i = 0; i < 100_000; i++) idBytes += Buffer.byteLength(idOf(i));
  assert.equal(writer.idBytes, idBytes);
  assert.equal((await stat(file)).size, identifiersBytes(100_000, idBytes));
  assert.equal(await Identifiers.count(file), 100_000);
  assert.throws(() => identifiers.at(100_000), RangeError);
  assert.throws(() => identifiers.at(-1), RangeError);
  assert.throws(() => identifiers.at(Number.NaN), RangeError);
});

test('a second passage of the same id is refused with both places', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = new IdentifierWriter(path.join(folder, 'identifiers'));
  for (let i = 0; i < 30_000; i++) writer.append(`doc ${i}`);
  for (const [again, place] of [
    ['doc 0', 1],
    ['doc 12345', 12_346],
    ['doc 29999', 30_000],
  ] as const) {
    assert.throws(() => writer.append(again), {
      code: 'DATA_INVALID',
      message: `Two passages have the id '${again}': passage ${place} and passage 30001 of the collection.`,
    });
  }
  assert.equal(writer.append('doc'), 30_000);
  assert.deepEqual(await readdir(folder), []);
});

test('ids that only begin alike, and the empty one, are different', async (t) => {
  const file = path.join(await temporaryFolder(t), 'identifiers');
  const ids = ['', 'a', 'aa', 'A', 'á', 'a\u0301', 'a ', '\0'];
  const writer = new IdentifierWriter(file);
  for (const id of ids) writer.append(id);
  assert.throws(() => writer.append(''), { code: 'DATA_INVALID' });
  await writer.commit();
  const identifiers = await Identifiers.open(file);
  assert.deepEqual(
    ids.map((_, i) => identifiers.at(i)),
    ids,
  );
});

test('a file of ids that is not whole is refused', async (t) => {
  const file = path.join(await temporaryFolder(t), 'identifiers');
  const writer = new IdentifierWriter(file);
  for (const id of ['one', 'two']) writer.append(id);
  await writer.commit();
  const whole = await readFile(file);
  const refuses = async (bytes: Uint8Array, message: RegExp) => {
    await writeFile(file, bytes);
    await assert.rejects(Identifiers.open(file), { code: 'CACHE_INVALID', message });
  };
  await refuses(whole.subarray(0, -1), /holds 41 bytes where its header says 42/);
  await refuses(whole.subarray(0, 10), /is not a file of passage ids/);
  await refuses(Buffer.from('nonsense that is long enough to hold a header'), /is not a file of passage ids/);
  const swapped = Buffer.from(whole);
  swapped.writeUInt32LE(5, 24);
  await refuses(swapped, /start of id 1 after its end/);
  await assert.rejects(Identifiers.open(`${file}-none`), { code: 'CACHE_INVALID', message: /is missing/ });
});
