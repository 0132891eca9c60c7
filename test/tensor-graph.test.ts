/** The recorded graph: equal numbers stand there once, every value has a name of its own, and of nodes only what is needed is kept. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graph, prune, type Value } from '../harness/tensor/onnx/graph.js';

test('equal single numbers are one value; other types, shapes, signs of 0 and longer lists are others', () => {
  const graph = new Graph();
  const one = graph.scalar(1, 'float32');
  assert.equal(graph.scalar(1, 'float32'), one);
  assert.equal(graph.constant(Float32Array.of(1), [], 'float32'), one);
  const others = [
    graph.scalar(2, 'float32'),
    graph.scalar(1, 'int32'),
    graph.scalar(1, 'bool'),
    graph.constant(Float32Array.of(1), [1], 'float32'),
    graph.scalar(0, 'float32'),
    graph.scalar(-0, 'float32'),
    graph.integers([1]),
    ...[0, 1].map(() => graph.integers([])),
    ...[0, 1].map(() => graph.integers([1, 2])),
    graph.integers([1, 3]),
  ];
  assert.equal(graph.integers([1]), others[6]);
  const values = [one, ...others, graph.input([2], 'float32'), graph.input([3], 'int32')];
  values.push(graph.node('Neg', [one], [], 'float32'), graph.node('Neg', [one], [], 'float32'));
  values.push(
    ...graph.nodes(
      'Split',
      [one],
      [0, 1].map(() => ({ shape: [], dtype: 'float32' as const })),
    ),
  );
  assert.equal(new Set(values).size, values.length);
  assert.equal(new Set(values.map(({ name }) => name)).size, values.length);
  assert.deepEqual(
    graph.inputs.map(({ shape, dtype }) => [shape, dtype]),
    [
      [[2], 'float32'],
      [[3], 'int32'],
    ],
  );
  assert.deepEqual(
    [one, ...others.slice(0, 3), others[6]!, others[9]!].map(({ constant }) => [
      constant!.constructor.name,
      ...constant!,
    ]),
    [
      ['Float32Array', 1],
      ['Float32Array', 2],
      ['Int32Array', 1],
      ['Uint8Array', 1],
      ['BigInt64Array', 1n],
      ['BigInt64Array', 1n, 2n],
    ],
  );
});

test('what outputs need comes once each, behind what it is made of, however deep, and nothing else comes', () => {
  const graph = new Graph();
  const op = (name: string, ...inputs: (Value | undefined)[]) => graph.node(name, inputs, [], 'float32');
  const [x, unused] = [graph.input([], 'float32'), graph.input([], 'float32')];
  const [a, other] = [op('A', x), op('Other', unused)];
  const b = op('B', a, undefined, graph.scalar(7, 'float32'));
  const c = op('C', b, a, b);
  const { nodes, used } = prune([c, a, x]);
  assert.deepEqual(
    nodes.map((node) => node.op),
    ['A', 'B', 'C'],
  );
  assert.deepEqual(
    [...used].map(({ name }) => name).sort(),
    [x, a, b, c, b.node!.inputs[2]!].map(({ name }) => name).sort(),
  );
  assert.ok(!used.has(other) && !used.has(unused));
  assert.deepEqual(
    prune([op('D', b), op('E', other), a]).nodes.map((node) => node.op),
    ['A', 'B', 'D', 'Other', 'E'],
  );
  let deep = x;
  for (let i = 0; i < 50_000; i++) deep = op('Deep', deep);
  assert.equal(prune([deep]).nodes.length, 50_000);
});
