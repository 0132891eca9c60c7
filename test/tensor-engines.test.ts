import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ArraySpec } from '../harness/tensor/engine.js';
import { describeEngines, openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { assertKernels, kernelCases } from './kernel-cases.js';

const described = await describeEngines();
for (const { name, available, detail } of described) {
  if (name === 'tfjs-cpu') continue;
  describe(`engine ${name} against tfjs-cpu`, { skip: available ? false : detail }, async () => {
    if (!available) return;
    const reference = await openEngine('tfjs-cpu');
    const engine = await openEngine(name);
    assertKernels(reference, engine);
  });
}

describe('gradients against finite differences', async () => {
  const engine = await openEngine('tfjs-cpu');
  for (const { title, specs, feeds, build, gradients: program } of kernelCases) {
    if (program === undefined) continue;
    it(title, async () => {
      const gradients = await (await engine.compile(program, specs)).run(feeds);
      const objective = await engine.compile((tensors) => build(tensors), specs);
      const value = async () => {
        let sum = 0;
        for (const output of await objective.run(feeds)) {
          if (!(output instanceof Float32Array)) continue;
          for (const [i, x] of output.entries()) sum += x * Math.sin(i + 1);
        }
        return sum;
      };
      let next = 0;
      for (const [i, { dtype }] of specs.entries()) {
        if (dtype !== 'float32') continue;
        const gradient = gradients[next++]!;
        const values = feeds[i]!;
        for (let j = 0; j < values.length; j++) {
          const at = values[j]!;
          const step = 1 / 256;
          values[j] = at + step;
          const above = await value();
          values[j] = at - step;
          const below = await value();
          values[j] = at;
          const slope = (above - below) / (2 * step);
          assert.ok(
            Math.abs(slope - gradient[j]!) <= 2e-3 * Math.max(1, Math.abs(slope)),
            `${title}: d/dx${i}[${j}] ${gradient[j]} against ${slope}`,
          );
        }
      }
    });
  }
});

describe('recording', async () => {
  const engine = await openEngine('onnx');
  it('refuses to read a value that is not known yet', async () => {
    const branch = engine.compile(
      ([x]) => [x!.dataSync()[0]! > 0 ? tf.neg(x!) : x!],
      [{ shape: [1], dtype: 'float32' }],
    );
    await assert.rejects(branch, /was read while a program was being recorded/);
  });
  it('fails with the name of an unknown kernel', async () => {
    await assert.rejects(
      engine.compile(([x]) => [tf.atanh(x!)], [{ shape: [1], dtype: 'float32' }]),
      /Atanh/,
    );
  });
  it('takes inputs that play no part, and outputs that are inputs', async () => {
    const program = await engine.compile(
      ([, b]) => [b!, b!],
      [
        { shape: [1], dtype: 'float32' },
        { shape: [1], dtype: 'int32' },
      ],
    );
    assert.deepEqual(await program.run([Float32Array.of(1), Int32Array.of(7)]), [
      Int32Array.of(7),
      Int32Array.of(7),
    ]);
  });
  it('bakes fixed inputs in', async () => {
    const specs: ArraySpec[] = [
      { shape: [2], dtype: 'float32' },
      { shape: [2], dtype: 'float32' },
    ];
    const program = await engine.compile(([a, b]) => [tf.sub(a!, b!)], specs, {
      fixed: new Map([[0, Float32Array.of(5, 6)]]),
    });
    assert.deepEqual(await program.run([Float32Array.of(1, 2)]), [Float32Array.of(4, 4)]);
  });
  it('says what was fed wrongly', async () => {
    const program = await engine.compile(([a]) => [tf.neg(a!)], [{ shape: [2], dtype: 'float32' }]);
    await assert.rejects(program.run([Float32Array.of(1)]), /1 values for input0 of shape \[2\]/);
    await assert.rejects(program.run([]), /0 feeds for 1 inputs/);
  });
});

for (const { name } of described.filter(({ available }) => available)) {
  describe(`variables of ${name}`, async () => {
    const engine = await openEngine(name);
    it('take outputs in place, piece by piece', async () => {
      const set = engine.variables([100_000, 3]);
      const expected = [Float32Array.from({ length: 100_000 }, (_, i) => i), Float32Array.of(1, 2, 3)];
      for (const [i, variable] of set.variables.entries()) variable.write(expected[i]!);
      for (const piece of set.pieces(0, 2)) {
        const program = await engine.compile(
          ([x]) => [tf.mul(x!, 2), tf.sum(x!)],
          [{ shape: [piece.size], dtype: 'float32' }],
        );
        const [doubled, sum] = await program.run([piece], [piece]);
        assert.equal(doubled, undefined);
        assert.ok(sum instanceof Float32Array);
      }
      for (const [i, variable] of set.variables.entries()) {
        assert.deepEqual(
          await variable.read(),
          expected[i]!.map((x) => 2 * x),
        );
      }
      set.dispose();
    });
  });
}
