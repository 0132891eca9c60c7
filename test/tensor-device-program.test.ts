/** Programs on a device, where a stand-in for ONNX Runtime says what they are fed and asked: what stays there and what travels. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ArraySpec, type NumericArray, sizeOf } from '../harness/tensor/engine.js';
import * as layers from '../harness/tensor/layers.js';
import { BusyClock } from '../harness/tensor/onnx/busy-clock.js';
import { DeviceProgram } from '../harness/tensor/onnx/device-program.js';
import { DeviceMemory, DeviceVariable } from '../harness/tensor/onnx/device-variables.js';
import { openOnnx } from '../harness/tensor/onnx/engine.js';
import * as tf from '../harness/tensor/operations.js';
import { FakeTensor, fakeOrt } from './fake-device.js';

const floats = (...values: number[]) => Float32Array.of(...values);

/** A program of an input that is always fed, one that is not used and two that are; a number and its double come out. */
function program(memory: DeviceMemory, bound: DeviceVariable) {
  const value = (name: string, shape: number[], dtype: 'float32' | 'int32' = 'float32') => ({
    ...{ name, shape, dtype },
  });
  return new DeviceProgram(memory, new BusyClock(), {
    name: 'doubled',
    model: new Uint8Array(1),
    inputs: [value('weights', [2]), undefined, value('a', [2]), value('b', [1], 'int32')],
    bound: [bound, undefined, undefined, undefined],
    outputs: [value('out', [2]), value('count', [1], 'int32')],
    explain: async (cause) => new Error('explained', { cause }),
  });
}

test('a program is fed what it needs, keeps there what is to stay, and counts what travels', async () => {
  const fed: Record<string, FakeTensor>[] = [];
  const released: string[] = [];
  const fake = await fakeOrt((options) => ({
    inputNames: [],
    outputNames: [],
    async run(feeds) {
      fed.push(feeds);
      FakeTensor.living++;
      return {
        out: new FakeTensor('float32', floats(8, 9), [2]),
        count: new FakeTensor('int64', BigInt64Array.of(5n), [1]),
      };
    },
    async release() {
      await new Promise((resolve) => setImmediate(resolve));
      released.push(
        JSON.stringify((options as { preferredOutputLocation: unknown }).preferredOutputLocation),
      );
    },
  }));
  const memory = new DeviceMemory(fake.ort, { logId: 'here' });
  const onDevice = (...values: number[]) => {
    const variable = new DeviceVariable(memory, values.length);
    FakeTensor.living++;
    variable.take(new FakeTensor('float32', floats(...values), [values.length]) as never);
    return variable;
  };
  const weights = onDevice(1, 2);
  const doubled = program(memory, weights);
  const a = onDevice(3, 4);
  const count = Int32Array.of(5);
  for (const feeds of [[a, count], [null, a, count, count] as never])
    await assert.rejects(doubled.run(feeds), {
      name: 'RangeError',
      message: `${feeds.length} feeds for 3 inputs`,
    });
  for (const wrong of [onDevice(1), floats(1), onDevice(1, 2, 3), floats(1, 2, 3)])
    await assert.rejects(doubled.run([floats(0), wrong, count]), {
      name: 'RangeError',
      message: /^[13] values for a of shape \[2\]$/,
    });
  assert.equal(fed.length, 0);
  const before = memory.counts.otherBytes;
  const results = await doubled.run([floats(0), a, count]);
  assert.deepEqual(results, [floats(8, 9), Int32Array.of(5)]);
  // A count there, 8 bytes and one of int64 back; the variables stayed.
  assert.equal(memory.counts.otherBytes - before, 4 + 8 + 8);
  assert.deepEqual(
    Object.entries(fed[0]!).map(([name, { data }]) => [name, ...data]),
    [
      ['weights', 1, 2],
      ['a', 3, 4],
      ['b', 5],
    ],
  );
  const { buffers } = memory.counts;
  assert.deepEqual(await doubled.run([floats(0), floats(3, 4), count], [a]), [undefined, Int32Array.of(5)]);
  assert.deepEqual([...(await a.tensor()).data], [8, 9]);
  assert.equal(memory.counts.buffers, buffers);
  await doubled.run([floats(0), floats(3, 4), count], [a]);
  const places = fake.opened.map((options) => options as { preferredOutputLocation: unknown; logId: string });
  assert.deepEqual(places, [
    { logId: 'here', preferredOutputLocation: { out: 'cpu', count: 'cpu' } },
    { logId: 'here', preferredOutputLocation: { out: 'gpu-buffer', count: 'cpu' } },
  ]);
  await doubled.dispose();
  await doubled.dispose();
  // The other one goes with the last buffer that it made.
  const all = places.map((options) => JSON.stringify(options.preferredOutputLocation));
  assert.deepEqual(released, all.slice(0, 1));
  a.free();
  await new Promise(setImmediate);
  assert.deepEqual(released, all);
  await assert.rejects(doubled.run([floats(0), a, count]), /was run after it was disposed of/);
});

test('a program that is disposed of while it runs is closed with the last buffer that the run made', async () => {
  let released = 0;
  const end: (() => void)[] = [];
  const fake = await fakeOrt(() => ({
    inputNames: [],
    outputNames: [],
    async run() {
      await new Promise<void>((resolve) => end.push(resolve));
      FakeTensor.living++;
      return {
        out: new FakeTensor('float32', floats(8, 9), [2]),
        count: new FakeTensor('int64', BigInt64Array.of(5n), [1]),
      };
    },
    async release() {
      released++;
    },
  }));
  const memory = new DeviceMemory(fake.ort, {});
  const variable = () => {
    const made = new DeviceVariable(memory, 2);
    FakeTensor.living++;
    made.take(new FakeTensor('float32', floats(1, 2), [2]) as never);
    return made;
  };
  const [weights, filled] = [variable(), variable()];
  const running = program(memory, weights);
  const run = () => running.run([floats(0), floats(3, 4), Int32Array.of(5)], [filled]);
  const runs = [run(), run()];
  while (end.length < 2) await new Promise(setImmediate);
  await running.dispose();
  for (const finish of end) finish();
  await Promise.all(runs);
  assert.equal(released, 0);
  filled.free();
  assert.equal(released, 1);
  const late = program(memory, weights);
  const { length } = fake.opened;
  const ended = assert.rejects(
    late.run([floats(0), floats(3, 4), Int32Array.of(5)]),
    /was run after it was disposed of/,
  );
  await late.dispose();
  await ended;
  assert.equal(fake.opened.length, length);
});

test('a program that cannot be opened says why, and one whose device is lost may fail to be closed', async () => {
  const refusing = await fakeOrt(() => {
    throw new Error('refused');
  });
  const weights = new DeviceVariable(new DeviceMemory(refusing.ort, {}), 2, floats(1, 2));
  const unopened = program(new DeviceMemory(refusing.ort, {}), weights);
  for (let i = 0; i < 2; i++)
    await assert.rejects(unopened.run([floats(0), floats(1, 2), Int32Array.of(1)]), { message: 'explained' });
  assert.equal(refusing.opened.length, 1);
  await unopened.dispose();
  const full = await fakeOrt(() => {
    throw new Error('CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0');
  });
  const noRoom = { code: 'OUT_OF_MEMORY', message: /^The device webgpu gave no more memory for 'doubled'/ };
  const crowded = program(new DeviceMemory(full.ort, {}), weights);
  await assert.rejects(crowded.run([floats(0), floats(1, 2), Int32Array.of(1)]), noRoom);
  for (const isLost of [false, true]) {
    const unclosed = await fakeOrt(() => ({
      inputNames: ['given'],
      outputNames: ['out'],
      async run() {
        throw new Error(isLost ? 'device lost' : 'another');
      },
      async release() {
        throw new Error('cannot be closed');
      },
    }));
    const memory = new DeviceMemory(unclosed.ort, {});
    const there = new DeviceVariable(memory, 2);
    there.take(new FakeTensor('float32', floats(1, 2), [2]) as never);
    const broken = program(memory, there);
    await assert.rejects(broken.run([floats(0), floats(1, 2), Int32Array.of(1)]));
    // Whoever computes there comes to the end of the time that it is busy.
    broken.clock.start();
    broken.clock.stop();
    assert.ok(broken.clock.busyMs > 0);
    if (isLost) await broken.dispose();
    else await assert.rejects(broken.dispose(), /cannot be closed/);
  }
});

test('in f16 what is fixed and a matrix lies there as halves, but for what would overflow; all else as it is', async () => {
  const engine = await openOnnx(1, 'webgpu');
  const [weight, bias, large] = [[3, 4], [3], [2, 3]].map((shape) => new Float32Array(sizeOf(shape)).fill(1));
  const kinds = async (precision: 'f16' | 'float32') => {
    const program = (await engine.compile(
      ([x, w, b, l, ids]) => {
        const rows = layers.linear(tf.gather(x!, ids!), w as tf.Tensor2D, b as tf.Tensor1D);
        return [tf.matMul(rows, l!, false, true)];
      },
      [
        ...[[2, 4], [3, 4], [3], [2, 3]].map((shape): ArraySpec => ({ shape, dtype: 'float32' })),
        { shape: [2], dtype: 'int32' },
      ],
      {
        fixed: new Map<number, NumericArray>([
          ...([weight!, bias!, large!].map((values, i) => [i + 1, values]) as [number, Float32Array][]),
          [4, Int32Array.of(1, 0)],
        ]),
        ...{ precision, overflowing: new Set([3]) },
      },
    )) as DeviceProgram;
    const { inputs, bound } = program.parts;
    return bound.flatMap((each, i) =>
      inputs[i] === undefined
        ? []
        : [each === undefined ? 'fed' : `${each.constructor.name} ${sizeOf(inputs[i].shape)}`],
    );
  };
  assert.deepEqual(await kinds('float32'), [
    'fed',
    'DeviceVariable 12',
    'DeviceVariable 3',
    'DeviceVariable 6',
  ]);
  assert.deepEqual(await kinds('f16'), ['fed', 'DeviceVariable 3', 'DeviceVariable 6', 'DeviceHalves 12']);
  await engine.dispose();
});
