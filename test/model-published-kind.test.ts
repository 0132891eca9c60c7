/** A published model that is taken for another kind of model is refused, and the error says how its own kind is asked for. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { readCrossFacts } from '../harness/model/cross-files.js';
import { readSentenceFacts, type SentenceOverrides } from '../harness/model/sentence-files.js';
import { readSpladeFacts } from '../harness/model/splade-files.js';
import { crossFile, crossFolder, crossKinds } from './cross-folder.js';
import { sentenceFolder, variants, withoutSetting } from './sentence-folder.js';
import { routedFolder, spladeFolder, withoutSetting as withoutSparse } from './splade-folder.js';

const asPretrained = (folder: string, set: Partial<SentenceOverrides> = {}) =>
  readSentenceFacts(folder, { ...withoutSetting, ...set });
const asCross = (folder: string) => readCrossFacts(folder, { maxTokens: null });
const asSparse = (folder: string) => readSpladeFacts(folder, withoutSparse);

async function refused(read: Promise<unknown>, code: string, hint: RegExp): Promise<void> {
  await assert.rejects(read, (error: BenchError) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.hint!, hint);
    return true;
  });
}

const cross = /^It is a cross-encoder, .*: --arch 'rerank:bm25>cross:MODEL' puts it behind another system\.$/;
const sparse = /^It is a learned sparse model: --arch sparse:MODEL takes it\.$/;
const pretrained = /^It is a sentence encoder: --arch pretrained:MODEL takes it\.$/;
const bare = /^An encoder alone is taken by --arch pretrained:MODEL, with the pretrained\.pooling /;
const mayBeSparse = /If it is a SPLADE model, --arch sparse:MODEL takes it\.$/;

test('a cross-encoder has no vectors of texts, whatever is set, and weighs no tokens', async () => {
  const set = { pooling: 'mean', similarity: 'dot' } as const;
  for (const name of Object.keys(crossKinds.kinds)) {
    const folder = crossFolder(name);
    await refused(asPretrained(folder), 'CONFIG_INVALID', cross);
    await refused(asPretrained(folder, set), 'CHECKPOINT_INVALID', cross);
    await refused(asSparse(folder), 'CHECKPOINT_INVALID', cross);
  }
  const { saved } = crossKinds.kinds.bert!;
  const silent = { ...saved, 'config_sentence_transformers.json': null, 'sentence_bert_config.json': null };
  for (const files of [saved, silent]) {
    const folder = crossFolder('bert', files);
    await refused(asPretrained(folder), 'CHECKPOINT_INVALID', cross);
    await refused(asPretrained(folder, set), 'CHECKPOINT_INVALID', cross);
    await refused(asSparse(folder), 'CHECKPOINT_INVALID', cross);
  }
});

test('a sentence encoder scores no pairs and weighs no tokens', async () => {
  const folder = await sentenceFolder('mean and cosine');
  await refused(asCross(folder), 'CHECKPOINT_INVALID', pretrained);
  await refused(asSparse(folder), 'CHECKPOINT_INVALID', pretrained);
  const alone = await sentenceFolder('mean and cosine', { 'modules.json': '' });
  const withoutModules = crossFolder('bert', {
    'config.json': { ...crossFile('bert', 'config.json'), architectures: ['BertModel'] },
  });
  await refused(asCross(withoutModules), 'CHECKPOINT_INVALID', bare);
  await refused(asSparse(withoutModules), 'CHECKPOINT_INVALID', bare);
  await asPretrained(withoutModules, { pooling: 'mean', similarity: 'dot' });
  await assert.rejects(asPretrained(withoutModules), { hint: /^Give pretrained\.pooling .* use it\.$/ });
  // Files that cannot be read tell nothing.
  await assert.rejects(asCross(alone), ({ hint }: BenchError) => !/--arch/.test(hint ?? ''));
});

test('a learned sparse model has no vectors and scores no pairs', async () => {
  const listed = spladeFolder('max');
  for (const folder of [listed, await routedFolder()]) {
    await refused(asPretrained(folder), 'CHECKPOINT_INVALID', sparse);
    await refused(asPretrained(folder, { pooling: 'mean', similarity: 'dot' }), 'CHECKPOINT_INVALID', sparse);
    await refused(asCross(folder), 'CHECKPOINT_INVALID', sparse);
  }
});

test('a bare masked language model may be one, or an encoder', async () => {
  const folder = spladeFolder('bert', { 'modules.json': null });
  await asSparse(folder);
  await refused(asPretrained(folder), 'CONFIG_INVALID', mayBeSparse);
  await refused(asPretrained(folder), 'CONFIG_INVALID', /^Give pretrained\.pooling/);
  await refused(asCross(folder), 'CHECKPOINT_INVALID', mayBeSparse);
  // Who asked for a sparse model is not told to ask for one.
  const open = { 'modules.json': null, 'config_sentence_transformers.json': { prompts: { passage: 'p: ' } } };
  await refused(
    asSparse(spladeFolder('bert', open)),
    'CONFIG_INVALID',
    /^Say it with --set sparse\.queryPrompt/,
  );
  await asPretrained(folder, { pooling: 'mean', similarity: 'dot' });
});

test('a sentence encoder is one whatever its base was saved as, and a config.json may say nothing of that', async () => {
  const { 'config.json': _, ...files } = variants['mean and cosine']!.files;
  const base = JSON.parse(
    readFileSync(path.join(await sentenceFolder('mean and cosine'), 'config.json'), 'utf8'),
  );
  for (const architectures of [
    undefined,
    null,
    'BertModel',
    [],
    [null],
    ['BertModel', 'BertForSequenceClassification'],
    ['BertForMaskedLM'],
    ['BertForSequenceClassification'],
  ]) {
    const config = { ...base, architectures };
    await asPretrained(await sentenceFolder('mean and cosine', { ...files, 'config.json': config }));
    const alone = crossFolder('bert', {
      'config.json': { ...crossFile('bert', 'config.json'), architectures },
    });
    const set = { pooling: 'mean', similarity: 'dot' } as const;
    if (architectures?.toString() === 'BertForSequenceClassification')
      await refused(asPretrained(alone, set), 'CHECKPOINT_INVALID', cross);
    else await asPretrained(alone, set);
  }
});

test('a list of modules that is refused says why, whatever it names', async () => {
  for (const own of ['a\0b', '../x', 7]) {
    const modules = [{ idx: 0, path: own, type: 'sentence_transformers.models.Transformer' }];
    const folder = crossFolder('bert', { 'modules.json': modules });
    for (const read of [asPretrained, asCross, asSparse])
      await assert.rejects(read(folder), {
        code: 'CHECKPOINT_INVALID',
        message: /modules\.json has the entry/,
      });
  }
});
