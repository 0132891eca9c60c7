/** GELU is one kernel where nobody reads its parts, with the same values, and its parts where a gradient needs them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openEngine } from '../harness/tensor/engines.js';
import { gelu } from '../harness/tensor/layers.js';
import { fuseLayers } from '../harness/tensor/onnx/fused-layers.js';
import { Graph, prune, type Value } from '../harness/tensor/onnx/graph.js';

const shape = [2, 3];

/** What is read of GELU's parts beside its value. */
type Also = 'nothing' | 'scaled' | 'erf' | 'sum' | 'share';

interface Written {
  also?: Also;
  root?: number;
  one?: number;
  half?: number;
  other?: boolean;
  /** Of the three numbers. */
  axes?: number[][];
  curve?: string;
}

function operators(written: Written): string[] {
  const {
    also = 'nothing',
    root = Math.SQRT1_2,
    one = 1,
    half = 0.5,
    other = false,
    axes = [[], [], []],
    curve = 'Erf',
  } = written;
  const graph = new Graph();
  const x = graph.input(shape, 'float32');
  const node = (op: string, inputs: Value[]) => graph.node(op, inputs, shape, 'float32');
  const number = (value: number, i: number) => graph.constant(Float32Array.of(value), axes[i]!, 'float32');
  const scaled = node('Mul', [other ? graph.input(shape, 'float32') : x, number(root, 0)]);
  const erf = node(curve, [scaled]);
  const sum = node('Add', [erf, number(one, 1)]);
  const share = node('Mul', [sum, number(half, 2)]);
  const value = node('Mul', [x, share]);
  const parts = { scaled, erf, sum, share };
  const outputs = also === 'nothing' ? [value] : [value, parts[also]];
  fuseLayers(outputs);
  return prune(outputs).nodes.map(({ op, domain }) => (domain === '' ? op : `${domain}.${op}`));
}

const apart = ['Mul', 'Erf', 'Add', 'Mul', 'Mul'];

test('GELU is one kernel', () => {
  assert.deepEqual(operators({}), ['com.microsoft.Gelu']);
});

test('it stays in parts where one of them is read, or where it is something else', () => {
  for (const also of ['scaled', 'erf', 'sum', 'share'] as const) assert.deepEqual(operators({ also }), apart);
  for (const written of [{ root: 0.7 }, { one: 2 }, { half: 1 }, { other: true }] satisfies Written[])
    assert.deepEqual(operators(written), apart, JSON.stringify(written));
  assert.deepEqual(operators({ curve: 'Tanh' }), ['Mul', 'Tanh', 'Add', 'Mul', 'Mul']);
});

test('it stays in parts where a number has axes, which may be more than those of x', () => {
  for (const axes of [
    [[1, 1, 1], [], []],
    [[], [1], []],
    [[], [], [1, 1]],
  ])
    assert.deepEqual(operators({ axes }), apart, JSON.stringify(axes));
});

test('its values are those of the error function, and what is no number stays none', async () => {
  const x = Float32Array.of(-10, -3, -1, -0.5, 0, 0.25, 1, 2, 6, Number.NaN);
  // x * (1 + erf(x / sqrt(2))) / 2 by Python's math.erf.
  const values = [-7.62e-23, -0.00404969, -0.15865525, -0.15426877, 0, 0.14967659, 0.84134475, 1.95449974, 6];
  const engine = await openEngine('onnx', { threads: 1 });
  const program = await engine.compile(([x]) => [gelu(x!)], [{ shape: [x.length], dtype: 'float32' }]);
  const [found] = await program.run([x]);
  for (const [i, value] of values.entries()) assert.ok(Math.abs(found![i]! - value) < 5e-7, `${x[i]}`);
  assert.ok(Number.isNaN(found!.at(-1)));
  await program.dispose();
  await engine.dispose();
});
