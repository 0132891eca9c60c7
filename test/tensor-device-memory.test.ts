/** What lies on a device, and programs there, where a stand-in for ONNX Runtime keeps the books: what is sent, held and freed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { BusyClock } from '../harness/tensor/onnx/busy-clock.js';
import { DeviceProgram } from '../harness/tensor/onnx/device-program.js';
import { DeviceResidents } from '../harness/tensor/onnx/device-residents.js';
import { DeviceMemory, DeviceVariable, deviceVariables } from '../harness/tensor/onnx/device-variables.js';
import type { Ort } from '../harness/tensor/onnx/runtime.js';

const floats = (...values: number[]) => Float32Array.of(...values);

class FakeTensor {
  static living = 0;
  #disposed = false;
  constructor(
    readonly type: string,
    readonly data: Float32Array | BigInt64Array,
    readonly dims: readonly number[],
  ) {}
  get size() {
    return this.data.length;
  }
  dispose() {
    assert.ok(!this.#disposed, 'disposed of twice');
    this.#disposed = true;
    FakeTensor.living--;
  }
}

interface Session {
  inputNames: string[];
  outputNames: string[];
  run(fed: Record<string, FakeTensor>): Promise<Record<string, FakeTensor>>;
  release(): Promise<void>;
}

/** Sessions that copy, or make as many zeros as they are told; or what a test gives. */
function fakeOrt(made?: (options: unknown) => Session) {
  const opened: unknown[] = [];
  const copying = (): Session => ({
    inputNames: ['given'],
    outputNames: ['out'],
    async run({ given }) {
      FakeTensor.living++;
      const { data } = given!;
      assert.deepEqual(given!.dims, [data.length]);
      const values = data instanceof BigInt64Array ? new Float32Array(Number(data[0])) : data.slice();
      return { out: new FakeTensor('float32', values, [values.length]) };
    },
    async release() {},
  });
  const ort = {
    Tensor: FakeTensor,
    InferenceSession: {
      async create(_: Uint8Array, options: unknown) {
        opened.push(options);
        return (made ?? copying)(options);
      },
    },
  } as unknown as Ort;
  return { ort, opened };
}

const { ort, opened } = fakeOrt();

test('before the first program of a process one buffer is made and freed, and no other after that', async () => {
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
  await variable.upload();
  // Programs that begin together send them once.
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
  const gone = ['UNAVAILABLE', "The device webgpu was lost in 'name': a device lost"];
  assert.deepEqual(await refused(' a device lost\nmore'), gone);
  assert.equal(memory.isLost, true);
  await refused('any other');
  assert.equal(memory.isLost, true);
  await assert.rejects(memory.computing('name', Promise.reject('no error')), (cause) => cause === 'no error');
});

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
  const fake = fakeOrt((options) => ({
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
  assert.deepEqual(
    released,
    places.map((options) => JSON.stringify(options.preferredOutputLocation)),
  );
  await assert.rejects(doubled.run([floats(0), a, count]), /was run after it was disposed of/);
});

test('a program that cannot be opened says why, and one whose device is lost may fail to be closed', async () => {
  const refusing = fakeOrt(() => {
    throw new Error('refused');
  });
  const weights = new DeviceVariable(new DeviceMemory(refusing.ort, {}), 2, floats(1, 2));
  const unopened = program(new DeviceMemory(refusing.ort, {}), weights);
  for (let i = 0; i < 2; i++)
    await assert.rejects(unopened.run([floats(0), floats(1, 2), Int32Array.of(1)]), { message: 'explained' });
  assert.equal(refusing.opened.length, 1);
  await unopened.dispose();
  for (const isLost of [false, true]) {
    const unclosed = fakeOrt(() => ({
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
