/** A checkpoint that a run takes as it is: nothing is trained, and nothing is made that only training would use. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { inOrder } from '../harness/stages/graph.js';
import { namesOf } from '../harness/stages/known.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { checkedProgress } from './checked-progress.js';
import { temporaryFolder } from './made-index.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const quiet = checkedProgress();

test('a checkpoint that is taken as it is needs no negatives, and leaves the run that it left', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const cache = path.join(root, 'cache');
  const first = await run(tinyRequest(root, 'mlr', 1, 'train.epochs=1', 'latency.queries=0'), quiet);
  const [checkpoint] = await readdir(path.join(cache, 'checkpoints'));
  const init = path.join(cache, 'checkpoints', checkpoint!);
  const asItIs = tinyRequest(root, 'mlr', 1, 'train.epochs=0', 'latency.queries=0');
  const again = { ...asItIs, init, config: { ...asItIs.config, cache: path.join(root, 'another') } };
  const record = await run(again, quiet);
  assert.deepEqual(record.measures, first.measures);
  const made = await readdir(again.config.cache);
  assert.deepEqual([made.includes('checkpoints'), made.includes('negatives')], [true, false]);
  // Named, or to learn from, they are looked for as ever.
  const { stages } = await (await loadSystem('mlr')).steps();
  const kindsOf = async (request: RunRequest) =>
    inOrder((await stages(request, namesOf(request))).all).map(({ kind }) => kind);
  const { train } = again.config;
  const learning = { ...again, config: { ...again.config, train: { ...train, epochs: 1 } } };
  for (const [request, has] of [
    [again, false],
    [{ ...again, negatives: ['bm25'] }, true],
    [learning, true],
  ] as const)
    assert.equal((await kindsOf(request)).includes('negatives'), has);
});
