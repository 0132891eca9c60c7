/** What every engine keeps: variables and weights that stay, what is written into them, and what is freed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InferenceSession } from 'onnxruntime-node';
import type { ArraySpec } from '../harness/tensor/engine.js';
import { describeEngines, openEngine } from '../harness/tensor/engines.js';
import { BusyClock } from '../harness/tensor/onnx/busy-clock.js';
import { HostProgram, hostVariables } from '../harness/tensor/onnx/host-program.js';
import type { Ort } from '../harness/tensor/onnx/runtime.js';
import * as tf from '../harness/tensor/operations.js';

const described = await describeEngines();
const three: ArraySpec = { shape: [3], dtype: 'float32' };
const floats = (...values: number[]) => Float32Array.of(...values);

for (const { name, available, detail } of described) {
  describe(name, { skip: available ? false : detail }, async () => {
    if (!available) return;
    const engine = await openEngine(name, { threads: 1, device: 'cpu' });
    const isEager = name !== 'onnx';
    /** Tensors that tfjs holds; the other engine holds none of them. */
    const held = () => (isEager ? tf.memory().numTensors : 0);

    it('reads back what was written, clears it, and refuses another length', async () => {
      const before = held();
      const set = engine.variables([3, 2]);
      const [a, b] = set.variables;
      assert.deepEqual([a!.size, b!.size], [3, 2]);
      assert.deepEqual(await a!.read(), floats(0, 0, 0));
      const values = floats(1, 2, 3);
      a!.write(values);
      await a!.upload();
      // What it was written from is no part of it, nor is what was read.
      values.fill(9);
      assert.deepEqual(await a!.read(), floats(1, 2, 3));
      (await a!.read()).fill(7);
      assert.deepEqual(await a!.read(), floats(1, 2, 3));
      assert.deepEqual(await b!.read(), floats(0, 0));
      for (const length of [2, 4]) assert.throws(() => a!.write(new Float32Array(length)), RangeError);
      assert.deepEqual(await a!.read(), floats(1, 2, 3));
      a!.clear();
      assert.deepEqual(await a!.read(), floats(0, 0, 0));
      set.dispose();
      assert.equal(held(), before);
    });

    it('computes into variables, their own inputs too, step after step, and holds no more for it', async () => {
      const set = engine.variables([3, 1]);
      const [sum, last] = set.variables;
      const program = await engine.compile(
        ([x, y]) => [tf.add(x!, y!), tf.sum(y!), tf.mul(y!, 2)],
        [three, three],
      );
      const before = held();
      for (let step = 1; step <= 3; step++) {
        const [into, total, doubled] = await program.run([sum!, floats(1, 2, 3)], [sum, last]);
        assert.deepEqual([into, total], [undefined, undefined]);
        assert.deepEqual(doubled, floats(2, 4, 6));
        assert.deepEqual(await sum!.read(), floats(step, 2 * step, 3 * step));
        assert.deepEqual(await last!.read(), floats(6));
        assert.equal(held(), before);
      }
      await program.dispose();
      set.dispose();
    });

    it('refuses values of another length, by how many there are', async () => {
      const program = await engine.compile(([x]) => [tf.neg(x!)], [three]);
      for (const length of [2, 4])
        await assert.rejects(program.run([new Float32Array(length)]), {
          name: 'RangeError',
          message: new RegExp(`^${length} values`),
        });
      assert.deepEqual(await program.run([floats(1, 2, 3)]), [floats(-1, -2, -3)]);
      await program.dispose();
    });

    it('keeps weights that are fixed in a program, once for all programs, until they are let go', async () => {
      const before = held();
      const [weights, others] = [floats(5, 6, 7), floats(1, 1, 1)];
      const less = (fixed: Float32Array) =>
        engine.compile(([x, y]) => [tf.sub(x!, y!)], [three, three], { fixed: new Map([[0, fixed]]) });
      const [first, again, other] = [await less(weights), await less(weights), await less(others)];
      for (const program of [first, again])
        assert.deepEqual(await program.run([floats(1, 2, 3)]), [floats(4, 4, 4)]);
      assert.deepEqual(await other.run([floats(1, 2, 3)]), [floats(0, -1, -2)]);
      assert.equal(held(), before + (isEager ? 2 : 0));
      for (const program of [first, again, other]) await program.dispose();
      engine.release([weights]);
      assert.equal(held(), before + (isEager ? 1 : 0));
      engine.release([weights, floats(1), others]);
      assert.equal(held(), before);
      const resident = engine.resident(weights);
      assert.deepEqual(await resident.read(), floats(5, 6, 7));
      assert.equal(resident.size, 3);
    });

    it('counts the time that it computes for', async () => {
      const program = await engine.compile(([x]) => [tf.exp(x!)], [three]);
      const [before, started] = [engine.busyMs, performance.now()];
      await program.run([floats(1, 2, 3)]);
      const took = performance.now() - started;
      assert.ok(
        engine.busyMs > before && engine.busyMs - before <= took,
        `${engine.busyMs - before} of ${took}`,
      );
      await program.dispose();
    });

    it('lets go of all that it kept when it ends', async () => {
      const own = await openEngine(name, { threads: 1, device: 'cpu' });
      const before = held();
      own.resident(floats(1, 2));
      own.resident(floats(1, 2));
      assert.equal(held(), before + (isEager ? 2 : 0));
      await own.dispose();
      assert.equal(held(), before);
    });
  });
}

it('variables in this memory lie one after another, and are gone through in pieces of 64 Ki', () => {
  const { variables, memory, pieces } = hostVariables([70_000, 3, 65_533]);
  const sizes = (first: number, end: number) => pieces(first, end).map(({ size }) => size);
  assert.equal(memory!.length, 135_536);
  assert.deepEqual(sizes(0, 1), [65_536, 4_464]);
  assert.deepEqual(sizes(1, 2), [3]);
  assert.deepEqual(sizes(1, 3), [65_536]);
  assert.deepEqual(sizes(0, 3), [65_536, 65_536, 4_464]);
  assert.deepEqual(sizes(1, 1), []);
  variables[1]!.write(floats(1, 2, 3));
  assert.deepEqual(memory!.subarray(69_999, 70_004), floats(0, 1, 2, 3, 0));
  pieces(1, 2)[0]!.clear();
  assert.deepEqual(memory!.subarray(69_999, 70_004), new Float32Array(5));
});

it('a program of the processor is closed once, and not run after that', async () => {
  const closed: boolean[] = [];
  const session = {
    async release() {
      await new Promise((resolve) => setImmediate(resolve));
      closed.push(true);
    },
  } as unknown as InferenceSession;
  const program = new HostProgram({} as Ort, session, { fed: [], bound: new Map() }, [], new BusyClock());
  for (let i = 0; i < 2; i++) {
    await program.dispose();
    assert.deepEqual(closed, [true]);
  }
  await assert.rejects(program.run([]), /was run after it was disposed of/);
});

it('counts the time during which at least one program runs, once', (t) => {
  let ms = 10;
  t.mock.method(performance, 'now', () => ms);
  const clock = new BusyClock();
  clock.start();
  ms = 13;
  clock.start();
  ms = 17;
  clock.stop();
  assert.equal(clock.busyMs, 0, 'the first runs on');
  ms = 20;
  clock.stop();
  assert.equal(clock.busyMs, 10);
  ms = 100;
  clock.start();
  ms = 101;
  clock.stop();
  assert.equal(clock.busyMs, 11);
});
