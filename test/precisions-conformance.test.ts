/** What every file of `harness/precisions` is held to, on the processor where it has it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { command as list } from '../harness/cli/list.js';
import { configSchema } from '../harness/config/schema.js';
import { encoders } from '../harness/model/known-encoders.js';
import { stream } from '../harness/random.js';
import { entriesOf } from '../harness/stages/code.js';
import { deviceNames, type EngineName, engineNames, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as layers from '../harness/tensor/layers.js';
import { Graph, prune, type Value } from '../harness/tensor/onnx/graph.js';
import {
  assertRewritten,
  loadPrecision,
  precisionNames,
  usualPrecision,
} from '../harness/tensor/onnx/precision.js';
import type * as tf from '../harness/tensor/operations.js';
import { assertPrecision } from '../harness/tensor/precision.js';

const random = stream(1, 'precisions');
const made = (...shape: number[]) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal());
const squares = (values: Float32Array) => values.reduce((sum, value) => sum + value * value, 0);
const linear = ([x, weight, bias]: tf.Tensor[]) => [
  layers.linear(x!, weight as tf.Tensor2D, bias as tf.Tensor1D),
];
const engines = await Promise.all([1, 2, 3].map((threads) => openEngine('onnx', { threads })));
after(() => Promise.all(engines.map((engine) => engine.dispose())));

test('settings take each of them beside the usual one, and nothing else', () => {
  const { precision } = configSchema().properties!.encode!.properties!;
  assert.deepEqual(precision!.enum, [usualPrecision, ...precisionNames()]);
  assert.equal(precision!.default, usualPrecision);
});

test('bench list names the settings that take each', async () => {
  let printed = '';
  await list.run({ json: true }, ['precisions'], (text) => {
    printed += text;
  });
  const items = JSON.parse(printed) as { name: string; summary: string }[];
  assert.deepEqual(
    items.map(({ name }) => name),
    [usualPrecision, ...precisionNames()],
  );
  for (const { name, summary } of items) {
    const plugin = await loadPrecision(name);
    const trains = plugin === undefined || plugin.training !== undefined;
    assert.match(
      summary,
      trains ? /; for encode\.precision and train\.precision$/ : /; for encode\.precision$/,
    );
  }
});

for (const precision of precisionNames())
  describe(precision, async () => {
    const { devices, largestError = 0.03 } = (await loadPrecision(precision))!;

    test('its own file is in the code of what is encoded in it, and of nothing else', () => {
      const file = `harness/precisions/${precision}.js`;
      assert.ok(entriesOf('encode', { precision }).includes(file));
      assert.ok(!entriesOf('encode', { precision: usualPrecision }).includes(file));
    });

    test('what does not compute so is refused by name', async () => {
      for (const name of engineNames)
        for (const device of deviceNames.filter((each) => name !== 'onnx' || !devices.includes(each))) {
          assert.equal(await assertPrecision({ name, device }, usualPrecision), undefined);
          await assert.rejects(assertPrecision({ name, device }, precision), {
            code: 'CONFIG_INVALID',
            message: new RegExp(`encode.precision=${precision} .*'${name}' on ${device}`),
            hint: /.+, or leave encode.precision at float32/,
          });
        }
    });

    test('it trains on the processor, or is refused by name, and every other engine is', async () => {
      const { training } = (await loadPrecision(precision))!;
      const asked = (name: EngineName) =>
        assertPrecision({ name, device: 'cpu' }, precision, 'train.precision');
      for (const name of engineNames.filter((each) => each !== 'onnx' || training === undefined))
        await assert.rejects(asked(name), {
          code: 'CONFIG_INVALID',
          message: new RegExp(`^train.precision=${precision}`),
          hint: /train.precision at float32/,
        });
      if (training !== undefined) assert.equal((await asked('onnx'))?.training, training);
    });

    const skip = !devices.includes('cpu') && `${precision} is not for the processor`;
    test('a product with weights is near to that of floats and not equal, with the same bits on 1, 2 and 3 threads', {
      skip,
    }, async () => {
      const sizes = [[40, 256], [64, 256], [64]];
      const [x, weight, bias] = sizes.map((shape) => made(...shape)) as Float32Array[];
      const inputs = sizes.map((shape) => ({ shape, dtype: 'float32' as const }));
      const fixed = new Map([
        [1, weight!],
        [2, bias!],
      ]);
      const found: Float32Array[] = [];
      for (const [i, engine] of [engines[0]!, ...engines].entries()) {
        const how = { fixed, precision: i === 0 ? usualPrecision : precision };
        const program = await engine.compile(linear, inputs, how);
        for (let run = 0; run < 2; run++) found.push((await program.run([x!]))[0] as Float32Array);
        await program.dispose();
      }
      const program = await engines[0]!.compile(linear, inputs, { fixed, precision });
      const [none] = await program.run([x!.with(43, Number.NaN)]);
      await program.dispose();
      assert.ok(none!.some(Number.isNaN), 'what is no number is hidden');
      const [exact, , rough, ...again] = found as [Float32Array, Float32Array, Float32Array];
      for (const other of again) assert.deepEqual(other, rough);
      const error = Math.sqrt(squares(rough.map((value, i) => value - exact[i]!)) / squares(exact));
      assert.ok(error > 1e-6 && error < largestError, String(error));
    });

    for (const { name, examples, make } of encoders)
      test(`${name} is encoded: what comes out are numbers, and not all 0`, { skip }, async () => {
        const encoder = make(Object.values(examples)[0]!);
        const draws = stream(2, 'weights');
        const weights = encoder.parameters.map(({ shape }) =>
          Float32Array.from({ length: sizeOf(shape) }, () => 0.2 * draws.normal()),
        );
        const text = (dtype: 'int32' | 'float32') => ({ shape: [2, 6], dtype });
        const specs = encoder.parameters.map(({ shape }) => ({ shape, dtype: 'float32' as const }));
        const program = await engines[0]!.compile(
          (given) => {
            const [ids, mask] = given.slice(-2) as [tf.Tensor2D, tf.Tensor2D];
            return encoder.states(given.slice(0, -2), { ids, mask }).hidden.slice(-1);
          },
          [...specs, text('int32'), text('float32')],
          { fixed: new Map(weights.entries()), precision },
        );
        const ids = Int32Array.from({ length: 12 }, (_, i) => 3 + i);
        const [states] = await program.run([ids, new Float32Array(12).fill(1)]);
        await program.dispose();
        assert.ok(states!.every(Number.isFinite) && states!.some((value) => value !== 0));
      });
  });

describe('what a precision makes of a program', () => {
  const graph = new Graph();
  const [fed, weights] = [graph.input([2, 3], 'float32'), graph.input([3, 2], 'float32')];
  const product = graph.node('MatMul', [fed, weights], [2, 2], 'float32');
  const rewritten = (output: Value, bound: [Value, Float32Array][]) =>
    assertRewritten('mine', {
      ...prune([output]),
      inputs: graph.inputs,
      given: [fed],
      bound: new Map(bound),
    });

  test('is taken where every input has its values', () => {
    rewritten(product, [[weights, new Float32Array(6)]]);
    // What is not used need not be fed.
    rewritten(graph.node('Neg', [fed], [2, 3], 'float32'), []);
  });

  test('is refused as the fault of its file where an input has none or too few, or an operator is not known', () => {
    const fault = (message: RegExp) => ({ code: 'PLUGIN_FAILED', message });
    const whole: [Value, Float32Array][] = [[weights, new Float32Array(6)]];
    assert.throws(
      () => rewritten(product, []),
      fault(/precisions\/mine\.ts failed: inMemory gives 0 .*\[3, 2\], which takes 6/),
    );
    assert.throws(() => rewritten(product, [[weights, new Float32Array(5)]]), fault(/gives 5 values/));
    const other = graph.node('Softplus', [product], [2, 2], 'float32');
    assert.throws(() => rewritten(other, whole), fault(/it writes Softplus/));
  });
});

test('a file cannot have the name of what is there without one, nor name a device that it has no products for', async () => {
  const root = mkdtempSync(path.join(tmpdir(), 'strata-precisions-'));
  after(() => rmSync(root, { recursive: true, force: true }));
  const folder = path.join(root, 'harness', 'precisions');
  mkdirSync(folder, { recursive: true });
  const members = "summary: '', where: '', hint: '', inMemory() {}";
  writeFileSync(path.join(folder, 'half.js'), `export default { ${members}, devices: ['cpu', 'webgpu'] };`);
  await assert.rejects(loadPrecision('half', root), {
    code: 'PLUGIN_INVALID',
    message: /half\.ts names webgpu/,
  });
  writeFileSync(
    path.join(folder, `${usualPrecision}.js`),
    `export default { ${members}, devices: ['cpu'] };`,
  );
  assert.throws(() => precisionNames(root), {
    code: 'PLUGIN_INVALID',
    message: /float32\.ts: 'float32' is there/,
  });
});

test('a stage of a system names a file that is there', () => {
  assert.deepEqual(entriesOf('harness/systems/bm25', {}), ['harness/systems/bm25.js']);
  assert.throws(() => entriesOf('harness/systems/second', {}), {
    code: 'PLUGIN_INVALID',
    message: /systems\/second\.ts/,
  });
});
