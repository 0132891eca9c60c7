/** What an index is written with: arrays that grow, hashes of bytes by their published values, numbers as bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grown } from '../harness/index/growing.js';
import { fnv1a, mixed } from '../harness/index/identifiers.js';
import { PostingBytes } from '../harness/index/variable-bytes.js';

test('an array grows to what is asked for, at least twofold, and keeps what it holds', () => {
  const array = Uint32Array.of(7, 8, 9);
  for (const places of [0, 2, 3]) assert.equal(grown(array, places), array);
  for (const [places, length] of [
    [4, 6],
    [6, 6],
    [7, 7],
    [20, 20],
  ] as const) {
    const larger = grown(array, places);
    assert.ok(larger instanceof Uint32Array);
    assert.deepEqual([...larger], [7, 8, 9, ...Array<number>(length - 3).fill(0)]);
  }
  assert.deepEqual(grown(Uint8Array.of(255), 2), Uint8Array.of(255, 0));
});

test('hashes are those that their authors publish', () => {
  // The test vectors of Fowler, Noll and Vo; a word between others has the hash it has alone.
  for (const [word, hash] of [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ] as const) {
    assert.equal(fnv1a(Buffer.from(word), 0, word.length), hash, word);
    assert.equal(fnv1a(Buffer.from(`x${word}y`), 1, 1 + word.length), hash, word);
  }
  // fmix32 of MurmurHash3.
  for (const [bits, hash] of [
    [0, 0],
    [1, 0x514e28b7],
    [2, 0x30f4c306],
    [0xffffffff, 0x81f16f39],
  ] as const)
    assert.equal(mixed(bits), hash, `${bits}`);
});

test('numbers take seven bits a byte, and postings one number where a term occurs once', () => {
  for (const [value, bytes] of [
    [0, [0]],
    [127, [127]],
    [128, [128, 1]],
    [2 ** 14 - 1, [255, 127]],
    [2 ** 14, [128, 128, 1]],
    [2 ** 32 - 1, [255, 255, 255, 255, 15]],
  ] as const) {
    const out = new PostingBytes();
    out.number(value);
    assert.deepEqual([...out.bytes], bytes, `${value}`);
    assert.equal(out.length, bytes.length);
  }
  const out = new PostingBytes();
  out.posting(3, 1);
  out.posting(2, 2);
  out.append(Uint8Array.of(9, 8, 7));
  assert.deepEqual([...out.bytes], [7, 4, 2, 9, 8, 7]);
  out.clear();
  assert.equal(out.bytes.length, 0);
});
