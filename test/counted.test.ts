/** Numbers of things in words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted } from '../harness/counted.js';

test('one thing is one, none and many are things, and thousands are told apart', () => {
  assert.equal(counted(1, 'epochs'), '1 epoch');
  assert.equal(counted(0, 'epochs'), '0 epochs');
  assert.equal(counted(1, 'queries'), '1 query');
  assert.equal(counted(1234, 'queries'), '1,234 queries');
  assert.equal(counted(1, 'passages'), '1 passage');
  assert.equal(counted(1, 'processes'), '1 process');
  assert.equal(counted(1, 'indexes'), '1 index');
  assert.equal(counted(1, 'GPUs'), '1 GPU');
});

test('what has to agree with the number is given for one and for many', () => {
  assert.equal(counted(1, 'queries have', 'query has'), '1 query has');
  assert.equal(counted(2, 'queries have', 'query has'), '2 queries have');
});
