/** Which engine `auto` takes where nobody names one. */
import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { openEngine } from '../harness/tensor/engines.js';
import { hasGpuTensorflow } from '../harness/tensor/tensorflow.js';

test('auto takes TensorFlow where it is here and has a GPU, else ONNX Runtime', async () => {
  const expected = (await hasGpuTensorflow(1)) ? 'tensorflow' : 'onnx';
  const engine = await openEngine('auto', { threads: 1 });
  assert.equal(engine.name, expected);
  assert.equal((await openEngine('auto', { threads: 1, device: 'cpu' })).name, 'onnx');
});

test('it computes with all cores, as far as its results stay the same, and with as many as are asked for', async () => {
  const all = availableParallelism();
  const found = [];
  for (const [name, threads] of [
    ['onnx', undefined],
    ['onnx', 3],
    ['tfjs-cpu', 5],
  ] as const) {
    const engine = await openEngine(name, threads === undefined ? {} : { threads });
    found.push([engine.name, engine.device, engine.threads]);
  }
  assert.deepEqual(found, [
    ['onnx', 'cpu', Math.min(all, 32)],
    ['onnx', 'cpu', 3],
    ['tfjs-cpu', 'cpu', 1],
  ]);
});

test('an unknown engine is refused with what there is', async () => {
  for (const name of ['onx', 'toString'])
    await assert.rejects(openEngine(name), { code: 'UNKNOWN_NAME', hint: /auto.*onnx/ });
});
