/** How vectors are compared is one thing from training to search, and the record says which. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-similarity-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const once = ['train.epochs=1', 'train.batchSize=2', 'train.negatives=1'];

/** A run, and the scores of its hits. */
async function searched(architecture: string, ...set: string[]) {
  const out = await mkdtemp(path.join(root, 'out-'));
  const record = await run(tinyRequest(root, architecture, 1, ...set, `out=${out}`), silentProgress());
  const name = (await readdir(out)).find((file) => file.endsWith('.run.gz'))!;
  const lines = gunzipSync(await readFile(path.join(out, name)))
    .toString()
    .trim()
    .split('\n');
  return { record, scores: lines.map((line) => Number(line.split(' ')[4])) };
}

for (const architecture of ['dual-encoder', 'mlr', 'colbert-cls', 'me-bert-avg']) {
  test(`${architecture}: hits are scored by cosine where that is asked for, by products where not`, async () => {
    const [dot, cosine] = [
      await searched(architecture, ...once),
      await searched(architecture, ...once, 'arch.similarity=cosine', 'train.temperature=0.1'),
    ];
    assert.deepEqual([dot.record.arch.similarity, cosine.record.arch.similarity], ['dot', 'cosine']);
    assert.ok(
      cosine.scores.every((score) => Math.abs(score) <= 1 + 1e-5),
      'no cosine is more than 1',
    );
    assert.ok(
      dot.scores.some((score) => Math.abs(score) > 1.1),
      'a product can be',
    );
  });
}

test('a checkpoint trained for one comparison is not searched by another without training', async () => {
  const { record } = await searched('dual-encoder', ...once, 'arch.similarity=cosine');
  const { key } = record.stages.find(({ name }) => name === 'train')!;
  const init = path.join(root, 'cache', 'checkpoints', key!);
  const again = (...set: string[]) =>
    run({ ...tinyRequest(root, 'dual-encoder', 2, 'model.tied=false', ...set), init }, silentProgress());
  await assert.rejects(again('train.epochs=0'), {
    code: 'CONFIG_INVALID',
    message: /was trained to be compared by cosine, arch\.similarity is dot/,
    hint: /--set arch\.similarity=cosine/,
  });
  const taken = await again('train.epochs=0', 'arch.similarity=cosine');
  assert.equal(taken.arch.similarity, 'cosine');
  assert.equal((await again('train.epochs=1')).arch.similarity, 'dot');
});
