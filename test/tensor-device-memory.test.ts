/** What lies on a device, where a stand-in for ONNX Runtime keeps the books: what is sent, held and freed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { reasonOf } from '../harness/tensor/onnx/device-faults.js';
import { DeviceResidents } from '../harness/tensor/onnx/device-residents.js';
import {
  DeviceMemory,
  type DeviceVariable,
  deviceVariables,
} from '../harness/tensor/onnx/device-variables.js';
import { FakeTensor, fakeOrt } from './fake-device.js';

const floats = (...values: number[]) => Float32Array.of(...values);

const { ort, opened } = await fakeOrt();

test('before the first program on a device one buffer is made and freed, and no other after that', async () => {
  const memory = new DeviceMemory(ort, { logId: 'here' });
  await memory.hold();
  assert.deepEqual(opened, [{ logId: 'here', preferredOutputLocation: 'gpu-buffer' }]);
  await memory.hold();
  await new DeviceMemory(ort, {}).hold();
  assert.deepEqual([opened.length, FakeTensor.living], [1, 0]);
  assert.deepEqual(memory.counts, { buffers: 0, heldBytes: 0, variableBytes: 0, otherBytes: 0 });
});

test('a variable is sent when it is needed, read from where it lies, and counted until it is freed', async () => {
  const memory = new DeviceMemory(ort, {});
  const counted = (buffers: number, heldBytes: number, variableBytes: number) =>
    assert.deepEqual(
      [memory.counts, FakeTensor.living],
      [{ buffers, heldBytes, variableBytes, otherBytes: 0 }, buffers],
    );
  const set = deviceVariables(memory, [3, 5, 2]);
  const [a, b, c] = set.variables as [DeviceVariable, DeviceVariable, DeviceVariable];
  assert.deepEqual(set.pieces(1, 2), [b]);
  assert.deepEqual(set.pieces(0, 3), [a, b, c]);
  for (const length of [2, 4]) assert.throws(() => a.write(new Float32Array(length)), RangeError);
  assert.deepEqual(await a.read(), floats(0, 0, 0));
  const values = floats(1, 2, 3);
  a.write(values);
  values.fill(9);
  assert.deepEqual(await a.read(), floats(1, 2, 3));
  (await a.read()).fill(9);
  counted(0, 0, 0);
  await a.upload();
  counted(1, 12, 12);
  await a.upload();
  await b.upload();
  // Zeros are made there.
  counted(2, 32, 12);
  assert.deepEqual(await b.read(), new Float32Array(5));
  FakeTensor.living--;
  counted(2, 32, 32);
  assert.deepEqual(await a.read(), floats(1, 2, 3));
  FakeTensor.living--;
  counted(2, 32, 44);
  a.clear();
  counted(1, 20, 44);
  assert.deepEqual(await a.read(), floats(0, 0, 0));
  a.write(floats(4, 5, 6));
  await a.upload();
  a.write(floats(7, 8, 9));
  counted(1, 20, 56);
  assert.deepEqual(await a.read(), floats(7, 8, 9));
  set.dispose();
  counted(0, 0, 56);
  set.dispose();
  counted(0, 0, 56);
});

test('weights lie there once, as they are and as halves, until they are let go', async () => {
  const memory = new DeviceMemory(ort, {});
  const residents = new DeviceResidents(memory);
  const [first, second] = [floats(1, 2, 3), floats(4, 5)];
  const variable = residents.variable(first);
  assert.equal(residents.variable(first), variable);
  assert.equal(variable.size, 3);
  const halves = residents.halves(second);
  assert.equal(residents.halves(second), halves);
  const held = () => [memory.counts.buffers, memory.counts.heldBytes, memory.counts.variableBytes];
  // Programs that begin together send them once.
  const lying = await Promise.all([variable.tensor(), variable.tensor()]);
  assert.equal(lying[0], lying[1]);
  const sent = await Promise.all([halves.tensor(), halves.tensor()]);
  assert.equal(sent[0], sent[1]);
  assert.equal(await halves.tensor(), sent[0]);
  assert.deepEqual(held(), [2, 12 + 4, 12 + 8]);
  residents.release([second, floats(4, 5)]);
  assert.deepEqual(held(), [1, 12, 20]);
  assert.notEqual(residents.halves(second), halves);
  await residents.halves(second).tensor();
  assert.deepEqual(held(), [2, 16, 28]);
  residents.dispose();
  assert.deepEqual([held(), FakeTensor.living], [[0, 0, 28], 0]);
  assert.notEqual(residents.variable(first), variable);
});

test('what float16 rounds to infinity, or is no number, is refused before it is sent', () => {
  const residents = new DeviceResidents(new DeviceMemory(ort, {}));
  for (const value of [65_519.99, -65_519.99]) residents.halves(floats(1, value));
  for (const value of [65_520, -65_520, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(() => residents.halves(floats(1, value)), {
      code: 'CONFIG_INVALID',
      message: `encode.precision=f16: a weight of the model is ${value}, and float16 ends at 65,504.`,
    });
});

test('what copies there may be opened later where there was no room for it', async (t) => {
  const { ort: crowded } = await fakeOrt();
  const memory = new DeviceMemory(crowded, {}, 'cuda');
  t.mock.method(crowded.InferenceSession, 'create', async () => {
    throw new Error('CUDA failure 2: out of memory ; GPU=0');
  });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(memory.upload(floats(1)), { code: 'OUT_OF_MEMORY' });
    await assert.rejects(memory.hold(), { code: 'OUT_OF_MEMORY' });
  }
  t.mock.restoreAll();
  const sent = await memory.upload(floats(1));
  assert.deepEqual(sent.data, floats(1));
  sent.dispose();
});

test('what a device says is told as its loss, once and for all, as its want of memory, or as it is', async () => {
  const memory = new DeviceMemory(ort, {});
  await deviceVariables(memory, [3 * 2 ** 18]).variables[0]!.upload();
  const refused = (message: string) =>
    memory.computing('name', Promise.reject(new Error(message))).then(
      () => assert.fail(),
      (error: BenchError) => [error.code, error.message],
    );
  assert.equal(await memory.computing('name', Promise.resolve(3)), 3);
  assert.deepEqual(await refused('any other'), [undefined, 'any other']);
  assert.deepEqual(await refused('\n[Invalid Buffer x]\nmore'), [
    'OUT_OF_MEMORY',
    "The device webgpu gave no more memory for 'name', beside the 3 MiB of weights and vectors that lie there: [Invalid Buffer x]",
  ]);
  assert.equal(memory.isLost, false);
  const cuda = new DeviceMemory(ort, {}, 'cuda');
  for (const [said, code, told] of [
    ['CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0', 'OUT_OF_MEMORY', 'gave no more memory'],
    ['CUDA failure 2: out of memory ; GPU=0', 'OUT_OF_MEMORY', 'gave no more memory'],
    ['Failed to allocate memory for requested buffer of size 9', 'OUT_OF_MEMORY', 'gave no more memory'],
    ['CUDA failure 1: invalid argument ; GPU=0', undefined, ''],
    ['CUDA failure 700: an illegal memory access was encountered ; GPU=0', 'UNAVAILABLE', 'was lost'],
  ] as const)
    await assert.rejects(cuda.computing('name', Promise.reject(new Error(said))), (error: BenchError) => {
      assert.equal(error.code, code, said);
      if (code !== undefined) assert.match(error.message, new RegExp(`^The device cuda ${told}.*'name'`));
      return true;
    });
  assert.equal(cuda.isLost, true);
  const gone = ['UNAVAILABLE', "The device webgpu was lost in 'name': a device lost"];
  assert.deepEqual(await refused(' a device lost\nmore'), gone);
  assert.equal(memory.isLost, true);
  await refused('any other');
  assert.equal(memory.isLost, true);
  await assert.rejects(memory.computing('name', Promise.reject('no error')), (cause) => cause === 'no error');
});

test('why a device does not work is told without the place in the code of ONNX Runtime', () => {
  const source = '/onnxruntime_src/onnxruntime/core';
  for (const [said, told] of [
    [
      `${source}/webgpu_context.cc:99 void f() status was false. No supported adapters\n`,
      'No supported adapters',
    ],
    [
      `${source}/bridge.cc:9 Provider& Get() [ONNXRuntimeError] : 1 : FAIL : Failed to load x.so`,
      'Failed to load x.so',
    ],
    [`${source}/cuda.cc:9 CUDA failure 35: driver`, 'CUDA failure 35: driver'],
    ['any other', 'any other'],
  ] as const)
    assert.equal(reasonOf(new Error(said)), told);
});
