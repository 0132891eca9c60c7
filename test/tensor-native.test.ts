/** The way to CUDA, over ONNX Runtime's C API: on CUDA where it is here, and with the processor in CUDA's place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceRuntime } from '../harness/tensor/onnx/device-runtime.js';
import { DeviceMemory } from '../harness/tensor/onnx/device-variables.js';
import { assertDevice } from '../harness/tensor/onnx/devices.js';
import { openOnnx } from '../harness/tensor/onnx/engine.js';
import { Graph, prune } from '../harness/tensor/onnx/graph.js';
import { writeModel } from '../harness/tensor/onnx/model-file.js';
import { loadKoffi, NativeApi } from '../harness/tensor/onnx/native-api.js';
import * as tf from '../harness/tensor/operations.js';
import { cudaDevices, openStandIn, standInRuntime, withoutKoffi } from './cuda-devices.js';
import { deviceCases } from './device-cases.js';

for (const { name, skip, open } of await cudaDevices()) deviceCases(name, skip, open);

test('it is ONNX Runtime as onnxruntime-node brings it, and one that has less is refused by name', {
  skip: withoutKoffi,
}, async () => {
  const { 'onnxruntime-node': version } = (await openOnnx(1, 'cpu')).versions;
  await NativeApi.open();
  await assert.rejects(NativeApi.load(undefined, 9999), {
    code: 'UNAVAILABLE',
    message: new RegExp(`needs version 9999 of ONNX Runtime's C API, and .* is ONNX Runtime ${version},`),
    hint: /npm ci/,
  });
});

test("without CUDA's files it is an error, and the process goes on", { skip: withoutKoffi }, async (t) => {
  const missing = await assertDevice('cuda').then(
    () => false,
    ({ message }: Error) => /files are not installed/.test(message),
  );
  if (!missing) return t.skip('they are here');
  for (let i = 0; i < 2; i++) await assert.rejects(deviceRuntime('cuda'), /libonnxruntime_providers_shared/);
});

test('without koffi it is refused with what brings it', () =>
  assert.rejects(loadKoffi('no-such-koffi'), {
    code: 'UNAVAILABLE',
    message: /^The device cuda needs the package koffi, .* not installed\.$/,
    hint: /npm install.*--device webgpu/,
  }));

/** Of two numbers. */
function negatedModel(): Uint8Array {
  const graph = new Graph();
  const input = graph.input([2], 'float32');
  const output = graph.node('Neg', [input], [2], 'float32');
  const { nodes, used } = prune([output]);
  return writeModel(graph, nodes, used, [output]);
}

test('what ONNX Runtime says of a model, an input and a size is the error', {
  skip: withoutKoffi,
}, async () => {
  const { ort } = await standInRuntime();
  await assert.rejects(ort.InferenceSession.create(Uint8Array.of(1, 2, 3)), /protobuf parsing failed/i);
  const session = await ort.InferenceSession.create(negatedModel(), { logSeverityLevel: 4 });
  const [fed] = session.inputNames;
  const floats = (...values: number[]) =>
    new ort.Tensor('float32', Float32Array.from(values), [values.length]);
  await assert.rejects(session.run({ another: floats(1, 2) }), /another/);
  await assert.rejects(session.run({ [fed!]: floats(1, 2, 3) }), /Got: 3 Expected: 2/);
  await assert.rejects(session.run({}), new RegExp(fed!));
  // And goes on after each of them.
  const { [session.outputNames[0]!]: negated } = await session.run({ [fed!]: floats(1, 2) });
  assert.deepEqual(negated!.data, Float32Array.of(-1, -2));
  await session.release();
});

test('runs that are asked for at once come one after another, each with its own results', {
  skip: withoutKoffi,
}, async () => {
  const engine = await openStandIn();
  const program = await engine.compile(
    ([x, flags]) => [tf.mul(x!, 2), tf.sum(x!), tf.logicalNot(flags!), tf.slice(x!, [0], [0])],
    [
      { shape: [3], dtype: 'float32' },
      { shape: [2], dtype: 'bool' },
    ],
  );
  const runs = Array.from({ length: 20 }, (_, i) =>
    program.run([Float32Array.of(i, 1, 0), Uint8Array.of(i % 2, 1)]),
  );
  for (const [i, results] of (await Promise.all(runs)).entries())
    assert.deepEqual(results, [
      Float32Array.of(2 * i, 2, 0),
      Float32Array.of(i + 1),
      Uint8Array.of(1 - (i % 2), 0),
      new Float32Array(0),
    ]);
  await program.dispose();
  await engine.dispose();
});

test('a variable that is filled while runs wait is no matter to these, and a program that is gone runs no more', {
  skip: withoutKoffi,
}, async () => {
  const engine = await openStandIn();
  const { variables, dispose } = engine.variables([1000, 1000]);
  const [filled, other] = variables;
  const specs = [{ shape: [1000], dtype: 'float32' as const }];
  const program = await engine.compile(([x]) => [tf.add(x!, 1)], specs);
  for (let runs = 1; runs <= 10; runs++) {
    // The second has what lay there when it was asked for, which the first frees.
    await Promise.all([program.run([filled!], [filled]), program.run([filled!], [other])]);
    for (const variable of variables)
      assert.deepEqual(await variable.read(), new Float32Array(1000).fill(runs));
  }
  const late = assert.rejects(program.run([new Float32Array(1000)]), /run after it was disposed of/);
  await program.dispose();
  await late;
  dispose();
  await engine.dispose();
});

test('a session and a tensor that are gone are refused, however often they are let go', {
  skip: withoutKoffi,
}, async () => {
  const { ort } = await standInRuntime();
  const memory = new DeviceMemory(ort, {}, 'cuda');
  const tensor = await memory.upload(Float32Array.of(1, 2));
  const session = await ort.InferenceSession.create(negatedModel());
  const [fed] = session.inputNames;
  const run = session.run({ [fed!]: tensor });
  const released = [session.release(), session.release()];
  tensor.dispose();
  tensor.dispose();
  assert.deepEqual((await run)[session.outputNames[0]!]!.data, Float32Array.of(-1, -2));
  await Promise.all(released);
  await assert.rejects(session.run({}), /session was run after it was released/);
  await assert.rejects(memory.download(tensor), /tensor was used after it was disposed of/);
});

test('what is larger than one view of memory is copied piece by piece', { skip: withoutKoffi }, async () => {
  const api = await NativeApi.open();
  const whole = new BigUint64Array(api.copy(api.table, 80));
  assert.ok(whole.every((place) => place !== 0n));
  for (const most of [7, 79, 80, 81])
    assert.deepEqual(new BigUint64Array(api.copy(api.table, 80, most)), whole);
});

test('a run whose results have no room in this process leaves none on the device', {
  skip: withoutKoffi,
}, async (t) => {
  const engine = await openStandIn();
  const { variables, dispose } = engine.variables([2]);
  const specs = [{ shape: [2], dtype: 'float32' as const }];
  const program = await engine.compile(([x]) => [tf.add(x!, 1), tf.mul(x!, 2)], specs);
  const run = () => program.run([Float32Array.of(1, 2)], variables);
  await run();
  const api = await NativeApi.open();
  const copy = t.mock.method(api, 'copy', () => {
    throw new RangeError('Array buffer allocation failed');
  });
  // The list of the results, and then theirs.
  copy.mock.mockImplementationOnce(NativeApi.prototype.copy.bind(api), copy.mock.callCount());
  const freed = t.mock.method(api, 'release');
  await assert.rejects(run(), /allocation failed/);
  assert.equal(freed.mock.calls.filter(({ arguments: [kind] }) => kind === 'Value').length, 3);
  t.mock.restoreAll();
  await run();
  assert.deepEqual(await variables[0]!.read(), Float32Array.of(2, 3));
  dispose();
  await program.dispose();
  await engine.dispose();
});

test('in f16 weights lie there as halves', { skip: withoutKoffi }, async () => {
  const engine = await openStandIn();
  const weights = Float32Array.from({ length: 12 }, (_, i) => i / 7);
  const program = await engine.compile(
    ([x, w]) => [tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D)],
    [
      { shape: [2, 3], dtype: 'float32' },
      { shape: [3, 4], dtype: 'float32' },
    ],
    { fixed: new Map([[1, weights]]), precision: 'f16' },
  );
  const rows = Float32Array.of(1, 0, 0, 0, 0, 1);
  const [product] = await program.run([rows]);
  for (const [i, value] of product!.entries()) {
    const exact = weights[i < 4 ? i : i + 4]!;
    assert.ok(Math.abs(value - exact) <= exact * 2 ** -11, `${value}, not ${exact}`);
  }
  assert.notDeepEqual(product, Float32Array.of(...weights.slice(0, 4), ...weights.slice(8)));
  await program.dispose();
  await engine.dispose();
});
