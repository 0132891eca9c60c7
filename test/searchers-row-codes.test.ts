/** What int8 and binary indexes keep of a row: codes, scale, error and signs by their definitions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { codeRow, signRow } from '../harness/searchers/exact/row-codes.js';

test('a row becomes codes from -127 to 127, its largest number one of them, and never a larger error than is said', () => {
  const random = stream(7, 'codes');
  for (const dimensions of [1, 3, 8, 17]) {
    for (let round = 0; round < 20; round++) {
      const row = Float32Array.from({ length: dimensions }, () => random.normal() * 10 ** (round - 10));
      const codes = new Int8Array(dimensions);
      const { scale, error } = codeRow(row, codes);
      const largest = Math.max(...row.map(Math.abs));
      assert.equal(scale, Math.fround(largest / 127));
      assert.equal(Math.max(...codes.map(Math.abs)), 127);
      let square = 0;
      for (const [d, value] of row.entries()) {
        assert.equal(codes[d], Math.max(-127, Math.min(127, Math.round(value / scale))));
        square += (value - scale * codes[d]!) ** 2;
      }
      assert.ok(error >= Math.sqrt(square) && error <= 1.0001 * Math.sqrt(square) + 1e-38, `${error}`);
    }
  }
  const codes = Int8Array.of(5, 5);
  assert.equal(codeRow(new Float32Array(2), codes).scale, 0);
  assert.deepEqual([...codes], [0, 0]);
});

test('signs are bits, the lowest first, 1 for what is above 0', () => {
  for (const dimensions of [1, 7, 8, 9, 16, 17]) {
    for (let set = 0; set < dimensions; set++) {
      const row = Float32Array.from({ length: dimensions }, (_, d) =>
        d === set ? 0.5 : d % 2 === 0 ? 0 : -1,
      );
      const bits = new Uint8Array(Math.ceil(dimensions / 8));
      signRow(row, bits);
      assert.deepEqual(
        [...bits],
        Array.from(bits, (_, byte) => (byte === set >> 3 ? 1 << (set % 8) : 0)),
        `${set} of ${dimensions}`,
      );
    }
  }
});
