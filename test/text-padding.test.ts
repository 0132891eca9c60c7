/** The lengths that texts are padded to, and what padding is made of. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bucketOf, paddedLength, padTexts } from '../harness/text/padding.js';

test('a text is padded to the next of a few lengths, never beyond the longest nor below itself', () => {
  const lengths = [8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512];
  for (const [i, length] of lengths.entries()) {
    assert.equal(bucketOf(length, 1000), length);
    assert.equal(bucketOf(length - 1, 1000), length);
    assert.equal(bucketOf(length + 1, 1000), lengths[i + 1] ?? 513);
    assert.equal(bucketOf(length, length - 1), length - 1);
  }
  assert.deepEqual(
    [bucketOf(1, 1000), bucketOf(0, 1000), bucketOf(9, 9), bucketOf(600, 1000)],
    [8, 8, 9, 600],
  );
  const texts = (...sizes: number[]) => sizes.map((size) => new Int32Array(size));
  assert.equal(paddedLength(texts(3, 17, 9), 100), 24);
  assert.equal(paddedLength(texts(3, 17, 9), 20), 20);
  assert.equal(paddedLength(texts(0), 100), 8);
  assert.equal(paddedLength([], 5), 5);
});

test('rows hold the text, then padding; rows without a text are padding', () => {
  const { ids, mask } = padTexts([Int32Array.of(5, 6, 7), new Int32Array(0), Int32Array.of(8)], 4, 9, 4);
  assert.deepEqual([...ids], [...[5, 6, 7, 9], ...[9, 9, 9, 9], ...[8, 9, 9, 9], ...[9, 9, 9, 9]]);
  assert.deepEqual([...mask], [...[1, 1, 1, 0], ...[0, 0, 0, 0], ...[1, 0, 0, 0], ...[0, 0, 0, 0]]);
  const full = padTexts([Int32Array.of(1, 2)], 2, 0);
  assert.deepEqual(
    [[...full.ids], [...full.mask]],
    [
      [1, 2],
      [1, 1],
    ],
  );
});
