import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BenchError, nearestName } from '../harness/errors.js';

test('a message and a hint can be read, whatever value they quote', () => {
  const long = 'x'.repeat(1_000_000);
  const error = new BenchError('DATA_INVALID', `the id '${long}' comes twice`, { hint: long });
  assert.match(error.message, /^the id 'x+\.\.\. \(990021 more characters\)$/);
  assert.equal(error.hint!.length, 10_000 + '... (990000 more characters)'.length);
  assert.equal(new BenchError('DATA_INVALID', 'short').message, 'short');
});

test('a near name is found, and a text as long as a file is near nothing', () => {
  const known = ['train.epochs', 'train.batchSize', 'x'];
  assert.equal(nearestName('train.epoch', known), 'train.epochs');
  assert.equal(nearestName('train.bachSize', known), 'train.batchSize');
  assert.equal(nearestName('y', known), 'x');
  assert.equal(nearestName('e'.repeat(1_000_000), known), undefined);
});
