/** What holds on every device: what programs compute there, and what lies there, travels and is freed. For tests. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { DeviceVariable } from '../harness/tensor/onnx/device-variables.js';
import * as tf from '../harness/tensor/operations.js';
import { assertKernels } from './kernel-cases.js';

/** @param skip why there is no such device here */
export function deviceCases(name: string, skip: string | false, open: () => Promise<Engine>): void {
  describe(`every kernel on ${name}`, { skip }, async () => {
    if (skip !== false) return;
    const reference = await openEngine('onnx', { threads: 1 });
    const engine = await open();
    assertKernels(reference, engine);
  });

  test(`on ${name} variables stay, are counted, and are freed`, { skip }, async () => {
    const engine = await open();
    const set = engine.variables([3, 3]);
    const [a, b] = set.variables;
    assert.ok(a instanceof DeviceVariable && b instanceof DeviceVariable);
    const { counts } = a.memory;
    a.write(Float32Array.of(1, 2, 3));
    const program = await engine.compile(
      ([x, y]) => [tf.add(x!, y!), tf.sum(x!)],
      [
        { shape: [3], dtype: 'float32' },
        { shape: [1, 3], dtype: 'float32' },
      ],
    );
    for (let step = 1; step <= 200; step++) {
      const [kept, sum] = await program.run([a, b], [b]);
      assert.equal(kept, undefined);
      assert.equal(sum![0], 6);
      assert.equal(counts.buffers, 2, `step ${step}`);
    }
    // The values went there once, and one sum came back at every step.
    assert.deepEqual([counts.variableBytes, counts.otherBytes], [12, 200 * 4]);
    assert.deepEqual(await b.read(), Float32Array.of(200, 400, 600));
    b.clear();
    assert.deepEqual(await b.read(), new Float32Array(3));
    const before = counts.variableBytes;
    const weights = Float32Array.of(5, 6, 7);
    const baked = await engine.compile(
      ([x, y]) => [tf.sub(x!, y!)],
      [
        { shape: [3], dtype: 'float32' },
        { shape: [3], dtype: 'float32' },
      ],
      { fixed: new Map([[0, weights]]) },
    );
    for (let i = 0; i < 2; i++)
      assert.deepEqual(await baked.run([Float32Array.of(1, 1, 1)]), [Float32Array.of(4, 5, 6)]);
    assert.equal(counts.variableBytes - before, 12);
    set.dispose();
    assert.equal(counts.buffers, 1);
    engine.release([weights]);
    assert.equal(counts.buffers, 0);
    await engine.dispose();
  });

  test(`weights lie on ${name} once for all programs until they are let go, and are sent again to the next`, {
    skip,
  }, async () => {
    const engine = await open();
    const [first, second] = [Float32Array.of(5, 6, 7), Float32Array.of(1, 2, 3)];
    const specs = [0, 1].map(() => ({ shape: [3], dtype: 'float32' as const }));
    const less = async (weights: Float32Array) => {
      const fixed = new Map([[0, weights]]);
      const program = await engine.compile(([x, y]) => [tf.sub(x!, y!)], specs, { fixed });
      const [found] = await program.run([Float32Array.of(1, 1, 1)]);
      await program.dispose();
      return found;
    };
    const set = engine.variables([1]);
    const { counts } = (set.variables[0] as DeviceVariable).memory;
    const sent = () => [counts.buffers, counts.variableBytes];
    const [buffers, bytes] = sent() as [number, number];
    const more = () => [counts.buffers - buffers, counts.variableBytes - bytes];
    for (let i = 0; i < 2; i++) assert.deepEqual(await less(first), Float32Array.of(4, 5, 6));
    assert.deepEqual(more(), [1, 12]);
    assert.deepEqual(await less(second), Float32Array.of(0, 1, 2));
    assert.deepEqual(more(), [2, 24]);
    engine.release([first]);
    assert.deepEqual(more(), [1, 24]);
    // What is not there is no matter.
    engine.release([first, Float32Array.of(9)]);
    assert.deepEqual(more(), [1, 24]);
    assert.deepEqual(await less(second), Float32Array.of(0, 1, 2));
    // Other values in the same array: what lay there before is not taken for them.
    first.fill(3);
    assert.deepEqual(await less(first), Float32Array.of(2, 2, 2));
    assert.deepEqual(more(), [2, 36]);
    engine.release([first, second]);
    assert.deepEqual(more(), [0, 36]);
    set.dispose();
    await engine.dispose();
  });

  test(`on ${name} a variable may be freed after its engine, which leaves the device to others`, {
    skip,
  }, async () => {
    for (let i = 0; i < 2; i++) {
      const engine = await open();
      const set = engine.variables([2]);
      const program = await engine.compile(([x]) => [tf.add(x!, 1)], [{ shape: [2], dtype: 'float32' }]);
      await program.run(set.variables, set.variables);
      await program.dispose();
      await engine.dispose();
      assert.deepEqual(await set.variables[0]!.read(), Float32Array.of(1, 1));
      set.dispose();
    }
  });
}
