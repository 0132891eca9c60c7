/** What a training minimizes, as a command asks for it: how vectors are compared is one thing from training to search. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-objective-'));
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
    assert.deepEqual([dot.record.arch.similarity, cosine.record.arch.similarity], [undefined, 'cosine']);
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

test('what a teacher without scores would have taught is told', async () => {
  const told = async (...set: string[]) =>
    (await searched('dual-encoder', ...once, ...set)).record.warnings.some((line) =>
      line.includes('plays no part without train.teacher.scores'),
    );
  assert.equal(await told('train.teacher.loss=kl'), true);
  assert.equal(await told(), false);
});

test('a checkpoint trained for one comparison is not searched by another without training', async () => {
  const { record } = await searched('dual-encoder', ...once, 'arch.similarity=cosine');
  const warned = (line: string) => line.includes('at train.temperature 1,');
  assert.ok(record.warnings.some(warned), 'cosines want a temperature');
  const cooler = await searched('dual-encoder', ...once, 'arch.similarity=cosine', 'train.temperature=0.1');
  assert.ok(!cooler.record.warnings.some(warned));
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
  assert.equal((await again('train.epochs=1')).arch.similarity, undefined);
});

test('cut vectors are trained where that is asked for, and lengths that there are not are refused before anything runs', async () => {
  const loss = async (...set: string[]) => {
    const { record } = await searched('dual-encoder', ...once, ...set);
    return record.training!.epochs[0]!.loss;
  };
  const [whole, cut] = [await loss(), await loss('train.matryoshka=4,2')];
  assert.ok(cut > 2 * whole, `${cut} of three lengths, ${whole} of one`);
  const { steps } = await loadSystem('dual-encoder');
  const request = tinyRequest(root, 'dual-encoder', 1, 'train.matryoshka=16,8,4');
  await assert.rejects((await steps()).requirements(request), {
    code: 'CONFIG_INVALID',
    message: 'train.matryoshka: 16 and 8 cannot be cut from vectors of 8 numbers.',
    hint: /below 8/,
  });
  await assert.rejects(run(request, silentProgress()), { code: 'CONFIG_INVALID' });
  assert.throws(() => tinyRequest(root, 'dual-encoder', 1, 'train.matryoshka=4,4'), {
    code: 'CONFIG_INVALID',
    message: /train\.matryoshka/,
  });
});
