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
  // Two letters turned round are one slip, in a short name too.
  assert.equal(nearestName('rnu', ['run', 'fuse']), 'run');
  assert.equal(nearestName('bm52', ['mlr-sc', 'bm25']), 'bm25');
  assert.equal(nearestName('trian', ['train', 'text']), 'train');
  assert.equal(nearestName('bb52', ['bm25']), undefined);
  assert.equal(nearestName('scifact', ['beir/fever', 'beir/scifact']), 'beir/scifact');
  assert.equal(nearestName('nq', ['beir/fiqa', 'dpr/nq']), 'dpr/nq');
  assert.equal(nearestName('e'.repeat(1_000_000), known), undefined);
});
