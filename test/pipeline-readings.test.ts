/** How often a run reads its collection: once for each stage that is made of all its texts, and not at all where nothing is made. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { temporaryFolder } from './made-index.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const { createReadStream } = fs;
let readings = 0;
fs.createReadStream = ((file: string, options: object) => {
  if (file.endsWith('corpus.jsonl')) readings++;
  return createReadStream(file, options);
}) as typeof createReadStream;
syncBuiltinESMExports();

test('a collection is read once for each stage that all its texts go into', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const readBy = async (architecture: string) => {
    readings = 0;
    await run(tinyRequest(root, architecture, 1, 'train.epochs=1'), silentProgress());
    return readings;
  };
  // It is looked through, once for all runs, and indexed.
  assert.equal(await readBy('bm25'), 2);
  // A vocabulary, BM25's negatives, the passages that are trained on, the vectors.
  assert.equal(await readBy('mlr-sc'), 4);
  // Vocabulary and negatives are there; of a run that is whole, of lists that are joined or put in another order, nothing is read.
  assert.equal(await readBy('me-bert'), 2);
  for (const made of ['mlr-sc', 'fuse:bm25+mlr-sc', 'rerank:bm25>mlr-sc'])
    assert.equal(await readBy(made), 0, made);
});
