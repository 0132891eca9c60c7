/** WebGPU, with no node left to the CPU: what programs compute there is what they compute on the CPU, and weights stay there. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it, test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { describeDevices, openEngine } from '../harness/tensor/engines.js';
import { DeviceVariable } from '../harness/tensor/onnx/device-variables.js';
import { describeGpu } from '../harness/tensor/onnx/gpu-search.js';
import * as tf from '../harness/tensor/operations.js';
import { specOf, valuesFor } from './kernel-inputs.js';
import { assertClose, programs, withGradients } from './kernel-programs.js';
import { withoutWebGpu } from './webgpu-driver.js';

const skip = await withoutWebGpu();

describe('every kernel on WebGPU', { skip }, async () => {
  if (skip !== false) return;
  const reference = await openEngine('onnx', { threads: 1 });
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  for (const [title, { inputs, build, noGradient }] of Object.entries(programs)) {
    const specs = inputs.map(specOf);
    const feeds = inputs.map((input, i) => valuesFor(input, title, i));
    const hasGradient =
      noGradient !== true && specs.some(({ dtype }) => dtype === 'float32') && title !== 'constants';
    it(title, async () => {
      for (const program of hasGradient ? [build, withGradients(build, specs)] : [build]) {
        const expected = await (await reference.compile(program, specs)).run(feeds);
        const actual = await (await engine.compile(program, specs)).run(feeds);
        assert.equal(actual.length, expected.length);
        for (const [i, values] of expected.entries()) assertClose(actual[i]!, values!, `${title} ${i}`);
      }
    });
  }
});

test('it is described beside a device that is not here, with what that needs', { skip }, async () => {
  const described = await describeDevices();
  assert.deepEqual(
    described.map(({ name }) => name),
    ['webgpu', 'cuda'],
  );
  const [here, cuda] = described;
  const gpu = describeGpu() ?? 'which GPU is not known';
  assert.deepEqual(here, {
    name: 'webgpu',
    available: true,
    detail: `a matrix product is right; ${gpu}`,
  });
  if (cuda!.available) return;
  assert.deepEqual(Object.keys(cuda!).sort(), ['available', 'detail', 'hint', 'name']);
  assert.match(cuda!.detail, /^The device cuda does not work here: /);
  assert.match(cuda!.hint!, /ONNXRUNTIME_NODE_INSTALL_CUDA/);
});

test('what the device has no kernel for is an error that names it', { skip }, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const program = await engine.compile(
    ([x]) => [tf.mul(tf.cast(tf.argMax(x!, 1), 'float32'), 2)],
    [{ shape: [2, 3], dtype: 'float32' }],
    { name: 'places' },
  );
  await assert.rejects(
    program.run([new Float32Array(6)]),
    /'places' cannot run on webgpu, which has no kernel for Cast of \[2\] int64/,
  );
  await engine.dispose();
});

test('variables stay there, are counted, and are freed', { skip }, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  // What computes stands with the versions: here the tests' own driver.
  const driver = path.basename(process.env.VK_ICD_FILENAMES ?? '');
  if (/swiftshader|lvp/.test(driver)) assert.equal(engine.versions.gpu, `software: ${driver}`);
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

test('weights lie there once for all programs until they are let go, and are sent again to the next', {
  skip,
}, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
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

test('an array that the device has no memory for is an error that says what lies there, and what helps', {
  skip,
}, async () => {
  const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
  const set = engine.variables([2 ** 18, 2 ** 31]);
  await set.variables[0]!.upload();
  await assert.rejects(set.variables[1]!.upload(), (error: BenchError) => {
    assert.equal(error.code, 'OUT_OF_MEMORY', error.stack);
    assert.match(
      error.message,
      /webgpu gave no more memory for '\w+', beside the 1 MiB of weights and vectors/,
    );
    assert.match(error.hint!, /train\.chunkSize.*search\.deviceMemoryMiB/);
    return true;
  });
  // What lies there is still good.
  assert.deepEqual(await set.variables[0]!.read(), new Float32Array(2 ** 18));
  set.dispose();
  await engine.dispose();
});

test('a variable may be freed after its engine, which leaves the device to others', { skip }, async () => {
  for (let i = 0; i < 2; i++) {
    const engine = await openEngine('onnx', { threads: 1, device: 'webgpu' });
    const set = engine.variables([2]);
    const program = await engine.compile(([x]) => [tf.add(x!, 1)], [{ shape: [2], dtype: 'float32' }]);
    await program.run(set.variables, set.variables);
    await program.dispose();
    await engine.dispose();
    assert.deepEqual(await set.variables[0]!.read(), Float32Array.of(1, 1));
    set.dispose();
  }
});
