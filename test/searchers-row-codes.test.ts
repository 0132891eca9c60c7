/** What int8 and binary indexes keep of a row: codes, scale, error and signs by their definitions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../harness/random.js';
import { LargestValues } from '../harness/searchers/exact/largest-values.js';
import {
  codeQuery,
  codeRow,
  lengthOf,
  roundedUp,
  signQuery,
  signRow,
} from '../harness/searchers/exact/row-codes.js';

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

/** Equal but for the slack of a square root, which is 2 ** -30 and on one side. */
function assertNotBelow(value: number, exact: number, what: string): void {
  assert.ok(value >= exact && value <= exact * (1 + 2 ** -28), `${what}: ${value} for ${exact}`);
}

test('the bound of a query is that of its description, term by term', () => {
  const random = stream(7, 'bound');
  for (const dimensions of [1, 3, 16, 20, 768]) {
    const width = Math.ceil(dimensions / 16) * 16;
    const query = Float32Array.from({ length: dimensions }, () => random.normal());
    const { codes, factor, errorShare, scaleShare, least } = codeQuery(query, width);
    assert.equal(codes.length, width);
    assert.ok(codes.subarray(dimensions).every((code) => code === 0));
    const most = Math.min(2 ** 15 - 1, Math.floor((2 ** 31 - 1) / (127 * dimensions)));
    assert.equal(factor, Math.max(...query.map(Math.abs)) / most);
    for (const [d, value] of query.entries()) assert.equal(codes[d], Math.round(value / factor));
    assert.equal(Math.max(...codes.map(Math.abs)), most);
    const norm = Math.sqrt(query.reduce((sum, value) => sum + value ** 2, 0));
    const rest = Math.sqrt(query.reduce((sum, value, d) => sum + (value - factor * codes[d]!) ** 2, 0));
    const [n, u] = [dimensions + 16, 2 ** -24];
    const g = (n * u) / (1 - n * u);
    assertNotBelow(errorShare, norm * (1 + g), 'E');
    assertNotBelow(scaleShare, 127 * Math.sqrt(dimensions) * (rest + g * norm), 's');
    assertNotBelow(least, 2 ** -126 * dimensions * (2 + norm), 'h');
  }
  const none = codeQuery(new Float32Array(3), 16);
  assert.deepEqual([none.factor, [...none.codes]], [0, Array(16).fill(0)]);
});

test('lengths and rounded numbers are not below what they stand for, and no more than that needs', () => {
  assertNotBelow(lengthOf([3, 4]), 5, 'length');
  assert.equal(lengthOf([]), 0);
  for (const [value, up] of [
    [0, 0],
    [1, 1],
    [1 + 2 ** -25, 1 + 2 ** -23],
    [1 + 2 ** -23 - 2 ** -40, 1 + 2 ** -23],
    [2 ** -149, 2 ** -149],
    [2 ** -150, 2 ** -149],
  ] as const)
    assert.equal(roundedUp(value), up, `${value}`);
});

test('by the bits that differ, a query says the cosine of their share of a half turn, times its length', () => {
  const query = Float32Array.from({ length: 20 }, (_, d) => (d < 5 ? 2 : -1));
  const { bits, cosines } = signQuery(query, 16);
  assert.deepEqual([...bits], [0b11111, ...Array(15).fill(0)]);
  assert.equal(cosines.length, 129);
  for (const [differing, value] of cosines.entries()) {
    const exact = Math.sqrt(35) * Math.cos((Math.PI * Math.min(differing, 20)) / 20);
    assert.ok(Math.abs(value - exact) < 1e-7, `${differing}: ${value} for ${exact}`);
  }
});

test('of many numbers the largest are held, and their least is known once there are so many', () => {
  const random = stream(7, 'largest');
  for (const count of [1, 2, 3, 4, 7, 8, 20]) {
    const held = new LargestValues(count);
    const seen: number[] = [];
    for (let i = 0; i < 200; i++) {
      const value = random.integer(40) - (i % 2 === 0 ? 20 : i);
      seen.push(value);
      held.offer(value);
      const sorted = seen.toSorted((a, b) => b - a);
      assert.equal(held.least, sorted[count - 1] ?? Number.NEGATIVE_INFINITY, `${count} of ${i + 1}`);
    }
  }
});
