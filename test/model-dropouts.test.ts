/** Dropout at one site after another: each with its own mask, and as many masks as there are sites. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Dropouts } from '../harness/model/attention.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';

const engine = await openEngine('tfjs-cpu');
after(() => engine.dispose());

const ones = () => tf.ones([1, 2, 2]);
const mask = (...values: number[]) => tf.tensor3d(Uint8Array.from(values), [1, 2, 2], 'bool');
const valuesOf = (x: tf.Tensor) => [...x.dataSync()];

test('each site has the next mask, what is kept is larger by what is not, and a rate of 0 has none', () => {
  const dropouts = new Dropouts([mask(1, 0, 1, 1), mask(0, 1, 0, 0), mask(1, 1, 0, 1)]);
  assert.deepEqual(valuesOf(dropouts.apply(ones(), 0.5)), [2, 0, 2, 2]);
  assert.deepEqual(valuesOf(dropouts.apply(ones(), 0)), [1, 1, 1, 1]);
  const apart = dropouts.fork();
  assert.deepEqual(valuesOf(apart.apply(ones(), 0.75)), [0, 4, 0, 0]);
  assert.throws(() => dropouts.finish(), { name: 'RangeError', message: '3 dropout masks for 1 sites' });
  // Of the first token alone, its part of the mask.
  assert.deepEqual(valuesOf(dropouts.apply(tf.ones([1, 1, 2]), 0.75, 1)), [0, 4]);
  assert.deepEqual(valuesOf(dropouts.apply(ones(), 0.5, 2)), [2, 2, 0, 2]);
  dropouts.finish();
  assert.throws(() => dropouts.apply(ones(), 0.5), {
    name: 'RangeError',
    message: 'no mask for dropout site 3',
  });
});

test('outside training nothing is dropped', () => {
  const none = new Dropouts(undefined);
  const x = ones();
  assert.equal(none.apply(x, 0.5), x);
  assert.equal(none.fork().apply(x, 0.5), x);
  none.finish();
});
