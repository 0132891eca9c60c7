/** Numbers of safetensors files by their bits, as IEEE 754 and the definition of bfloat16 have them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFloat32 } from '../harness/model/number-types.js';

const words = (bits: readonly number[]) => new Uint8Array(Uint16Array.from(bits).buffer);

test('halves: the smallest, the largest, those without a leading 1, infinities, and what is no number', () => {
  const known: [number, number][] = [
    [0x0000, 0],
    [0x8000, -0],
    [0x0001, 2 ** -24],
    [0x8001, -(2 ** -24)],
    [0x03ff, 1023 * 2 ** -24],
    [0x0400, 2 ** -14],
    [0x0401, 2 ** -14 * (1 + 2 ** -10)],
    [0x3555, 0.333251953125],
    [0x3bff, 0.99951171875],
    [0x3c00, 1],
    [0x3c01, 1.0009765625],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x7c00, Number.POSITIVE_INFINITY],
    [0xfc00, Number.NEGATIVE_INFINITY],
    [0x7c01, Number.NaN],
    [0xffff, Number.NaN],
  ];
  assert.deepEqual(
    [...toFloat32.F16!(words(known.map(([bits]) => bits)))],
    known.map(([, value]) => value),
  );
});

test('bfloat16 is the upper half of a float32', () => {
  const known: [number, number][] = [
    [0x3f80, 1],
    [0xc000, -2],
    [0x4049, 3.140625],
    [0x0080, 2 ** -126],
    [0x7f7f, 255 * 2 ** 120],
    [0x7f80, Number.POSITIVE_INFINITY],
    [0xff80, Number.NEGATIVE_INFINITY],
    [0x7fc0, Number.NaN],
  ];
  assert.deepEqual(
    [...toFloat32.BF16!(words(known.map(([bits]) => bits)))],
    known.map(([, value]) => value),
  );
});

test('doubles are rounded to the nearest float32', () => {
  const values = [Math.PI, -1e-50, 1e300, 16777217];
  assert.deepEqual(
    [...toFloat32.F64!(new Uint8Array(Float64Array.from(values).buffer))],
    values.map(Math.fround),
  );
});
