/** WebGPU, with no node left to the CPU: what programs compute there is what they compute on the CPU, and weights stay there. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { describeDevices, openEngine } from '../harness/tensor/engines.js';
import { gpuAndMemory } from '../harness/tensor/onnx/gpu-memory.js';
import { describeGpu } from '../harness/tensor/onnx/gpu-search.js';
import * as tf from '../harness/tensor/operations.js';
import { deviceCases } from './device-cases.js';
import { withoutWebGpu } from './webgpu-driver.js';

const skip = await withoutWebGpu();
const open = () => openEngine('onnx', { threads: 1, device: 'webgpu' });

deviceCases('WebGPU', skip, open);

test('it is described beside a device that is not here, with what that needs', { skip }, async () => {
  const described = await describeDevices();
  assert.deepEqual(
    described.map(({ name }) => name),
    ['webgpu', 'cuda'],
  );
  const [here, cuda] = described;
  assert.deepEqual(here, {
    name: 'webgpu',
    available: true,
    detail: `a matrix product is right; ${gpuAndMemory('webgpu')}`,
  });
  if (cuda!.available) return;
  assert.deepEqual(Object.keys(cuda!).sort(), ['available', 'detail', 'hint', 'name']);
  assert.match(cuda!.detail, /^The device cuda does not work here: /);
  assert.match(cuda!.hint!, /ONNXRUNTIME_NODE_INSTALL_CUDA/);
});

test('what the device has no kernel for is an error that names it', { skip }, async () => {
  const engine = await open();
  // What computes stands with the versions: here the tests' own driver.
  const driver = path.basename(process.env.VK_ICD_FILENAMES ?? '');
  if (/swiftshader|lvp/.test(driver)) assert.equal(engine.versions.gpu, `software: ${driver}`);
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

test('an array that the device has no memory for is an error that says what lies there, and what helps', {
  skip: skip || (!describeGpu()?.startsWith('software') && 'a GPU may have the memory'),
}, async () => {
  const engine = await open();
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
