/** What a model takes of the memory is refused beyond it, to the byte, before it is taken; and the angles of rotary positions. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Parameter } from '../harness/model/encoder.js';
import { rotaryTables } from '../harness/model/rotary.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { findTensors } from '../harness/model/stored-weights.js';
import type { TensorSource } from '../harness/model/tensor-source.js';
import { sizeOf } from '../harness/tensor/engine.js';

/** It fits into so many bytes, and not into one less. */
function assertNeeds(t: TestContext, bytes: number, take: () => unknown, message: RegExp): void {
  const memory = t.mock.method(process, 'constrainedMemory', () => bytes);
  take();
  memory.mock.mockImplementation(() => bytes - 1);
  assert.throws(take, { code: 'OUT_OF_MEMORY', message });
  memory.mock.restore();
}

const sizes = { layers: 2, dimensions: 8, heads: 2, intermediate: 12, vocabularySize: 30, maxTokens: 16 };
const { encoder } = scratchEncoder({ ...sizes, dropout: 0 }, 1);
const weights = encoder.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);

test('weights that are made, or found in the headers of files, take four bytes each', (t) => {
  assertNeeds(
    t,
    4 * weights,
    () => scratchEncoder({ ...sizes, dropout: 0 }, 1),
    /^The weights of a model of these sizes would take/,
  );
  const shapes = new Map(encoder.parameters.map(({ name, shape }) => [`own.${name}`, shape]));
  const source = { folder: 'FOLDER', shapeOf: (name: string) => shapes.get(name) } as unknown as TensorSource;
  assertNeeds(
    t,
    4 * weights,
    () => findTensors(source, encoder, 'own.'),
    /^The weights of FOLDER would take/,
  );
  // What is not there, or has another shape, is no weight that would be read.
  const [first, second, third] = encoder.parameters as readonly [Parameter, Parameter, Parameter];
  shapes.delete(`own.${first.name}`);
  shapes.set(`own.${second.name}`, [1000, 1000]);
  const rest = weights - sizeOf(first.shape) - sizeOf(second.shape);
  assertNeeds(t, 4 * rest, () => findTensors(source, encoder, 'own.'), /FOLDER/);
  const [missing, misshapen, found] = findTensors(source, encoder, 'own.');
  assert.deepEqual(missing, { problem: `own.${first.name} is missing; expected [${first.shape}]` });
  assert.deepEqual(misshapen, { problem: `own.${second.name} is [1000,1000]; expected [${second.shape}]` });
  assert.deepEqual(found, { name: `own.${third.name}`, others: [] });
});

test('angles of rotary positions take two numbers for each pair, and are places times frequencies', (t) => {
  assertNeeds(t, 8 * 5 * 3, () => rotaryTables(5, 6, 100), /^The angles of 5 positions would take/);
  const { cos, sin, positions, pairs } = rotaryTables(5, 6, 100);
  assert.deepEqual([positions, pairs, cos.length, sin.length], [5, 3, 15, 15]);
  for (let place = 0; place < 5; place++)
    for (let pair = 0; pair < 3; pair++) {
      const angle = place / 100 ** (pair / 3);
      assert.ok(Math.abs(cos[place * 3 + pair]! - Math.cos(angle)) < 1e-6, `${place}, ${pair}`);
      assert.ok(Math.abs(sin[place * 3 + pair]! - Math.sin(angle)) < 1e-6, `${place}, ${pair}`);
    }
});
