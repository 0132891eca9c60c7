/** Encoders of every kind as a published model and as the start of training. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { encoders } from '../harness/model/known-encoders.js';
import { openPublished } from '../harness/pipeline/published-model.js';
import { silentProgress } from '../harness/progress.js';
import { run } from '../harness/sweep.js';
import { kindFolder, kinds, withoutSetting } from './sentence-folder.js';
import { assertNear, vectorsOf } from './sentence-vectors.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-kinds-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

test('there is a published model of every kind but BERT, which has variants of its own', () => {
  const types = encoders.flatMap(({ modelTypes }) => Object.keys(modelTypes));
  assert.deepEqual(Object.keys(kinds.kinds).sort(), types.filter((type) => type !== 'bert').sort());
});

for (const [name, { queries, passages }] of Object.entries(kinds.kinds)) {
  test(`pretrained: a ${name} gives the vectors of sentence-transformers`, async () => {
    const found = await vectorsOf(kindFolder(name), withoutSetting, kinds);
    assertNear(found.queries, queries, 'query');
    assertNear(found.passages, passages, 'passage');
  });

  test(`training starts from a ${name}, and its checkpoint is searched and read again`, async () => {
    const set = [`model.name=${kindFolder(name, { isBare: true })}`, 'train.epochs=1', 'train.batchSize=2'];
    const request = tinyRequest(root, 'me-bert-sc', 1, ...set, 'train.negatives=1', 'arch.vectors=3');
    const record = await run(request, silentProgress());
    const { model_type: type } = JSON.parse(
      await readFile(path.join(record.model!.name, 'config.json'), 'utf8'),
    ) as { model_type: string };
    assert.equal(type, name);
    assert.equal(record.training!.examples!.train!.examples, 4);
    assert.equal(record.index!.rows, 30);
    assert.ok(record.measures['mrr@10']!.mean > 0);
    // T5 alone has no first token that stands for a text.
    assert.equal(record.arch.meanFirst, name === 't5' ? true : undefined);
  });
}

test('an encoder whose tokenizer no vocab.txt can say is refused without a tokenizer.json', async () => {
  const words = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nlamp\n';
  for (const [name, message] of [
    ['roberta', /holds no tokenizer\.json\.$/],
    ['mpnet', /holds no tokenizer\.json\.$/],
    ['distilbert', undefined],
  ] as const) {
    const folder = kindFolder(name);
    await rm(path.join(folder, 'tokenizer.json'));
    await writeFile(path.join(folder, 'vocab.txt'), words);
    const opened = openPublished(folder, name, withoutSetting);
    if (message === undefined) assert.equal((await opened).tokenizer.vocabularySize, 6);
    else await assert.rejects(opened, { code: 'CHECKPOINT_INVALID', message });
  }
});
