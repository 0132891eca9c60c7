/** What the files of a published sentence encoder say, apart from its vectors: lengths, modules, similarity, prompts. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { askedBeside, readSentenceFacts, type SentenceOverrides } from '../harness/model/sentence-files.js';
import { FileReader } from '../harness/model/sentence-reader.js';
import { sentenceFolder, variants, withoutSetting } from './sentence-folder.js';

const factsOf = async (
  files: Readonly<Record<string, unknown>>,
  overrides: Partial<SentenceOverrides> = {},
  name = 'mean and cosine',
) => readSentenceFacts(await sentenceFolder(name, files), { ...withoutSetting, ...overrides });

test('the longest text: what is set, else what the model says, else a length of its tokenizer', async () => {
  const limits = { 'sentence_bert_config.json': { max_seq_length: 20, do_lower_case: true } };
  const set = await factsOf(limits, { maxTokens: 10 });
  assert.deepEqual([set.maxTokens, set.lowercases], [10, true]);
  assert.equal((await factsOf(limits)).maxTokens, 20);
  for (const [most, expected] of [
    [512, 512],
    [1, 1],
    [999_999_999, 999_999_999],
    [1e9, undefined],
    [1e30, undefined],
    [0, undefined],
    [-5, undefined],
    [1.5, undefined],
    ['512', undefined],
    [null, undefined],
  ] as const) {
    const facts = await factsOf({
      'sentence_bert_config.json': {},
      'tokenizer_config.json': { model_max_length: most },
    });
    assert.deepEqual([facts.maxTokens, facts.lowercases], [expected, false], `${most}`);
  }
});

test('where no file says it, what is not set is asked for, and nothing else', async () => {
  const without = { 'modules.json': null };
  for (const [overrides, hint] of [
    [{}, 'Give pretrained.pooling (cls, mean, ...) and pretrained.similarity (dot or cosine) with --set'],
    [{ pooling: 'mean' }, 'Give pretrained.similarity (dot or cosine) with --set'],
    [{ similarity: 'dot' }, 'Give pretrained.pooling (cls, mean, ...) with --set'],
  ] as const)
    await assert.rejects(factsOf(without, overrides), (error: BenchError) => {
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.equal(error.hint, `${hint}, as its authors use it.`);
      return true;
    });
  const dot = await factsOf(without, { pooling: 'mean', similarity: 'dot' });
  assert.deepEqual(dot.modules, [{ kind: 'pooling', modes: ['mean'], includesPrompt: true }]);
  const cosine = await factsOf(without, { pooling: 'cls', similarity: 'cosine' });
  assert.deepEqual(
    cosine.modules.map(({ kind }) => kind),
    ['pooling', 'normalize'],
  );
});

test('a pooling that is set takes the place of the own one, and keeps what that says of prompts', async () => {
  const own = await factsOf({});
  assert.deepEqual(
    own.modules.map(({ kind }) => kind),
    ['pooling', 'normalize'],
  );
  const [pooling, ...rest] = (await factsOf({}, { pooling: 'cls', similarity: 'dot' })).modules;
  assert.deepEqual(pooling, { kind: 'pooling', modes: ['cls'], includesPrompt: true });
  assert.deepEqual(rest, own.modules.slice(1));
  const file = '1_Pooling/config.json';
  const config = variants['mean and cosine']!.files[file] as object;
  const excluding = { [file]: { ...config, include_prompt: false } };
  for (const overrides of [{}, { pooling: 'cls' }] as const) {
    const [first] = (await factsOf(excluding, overrides)).modules;
    assert.equal(first?.kind === 'pooling' && !first.includesPrompt, true);
  }
});

test('similarity by the names of several versions, and prompts of queries and documents alone', async () => {
  const general = (said: object) => ({ 'config_sentence_transformers.json': said });
  for (const [name, similarity] of [
    [undefined, 'cosine'],
    [null, 'cosine'],
    ['cosine', 'cosine'],
    ['dot', 'dot'],
    ['dot_product', 'dot'],
  ] as const)
    assert.equal((await factsOf(general({ similarity_fn_name: name }))).similarity, similarity, `${name}`);
  const prompts = { query: 'q: ', document: 'd: ', other: 'o: ' };
  assert.deepEqual((await factsOf(general({ prompts }))).prompts, { query: 'q: ', passage: 'd: ' });
  assert.deepEqual((await factsOf(general({}))).prompts, { query: '', passage: '' });
  assert.deepEqual((await factsOf(general({ prompts: { passage: 'p: ', document: 'd: ' } }))).prompts, {
    query: '',
    passage: 'd: ',
  });
  // A default that is empty says nothing, and one that is set for both sides plays no part.
  for (const overrides of [{}, { queryPrompt: 'x', passagePrompt: 'y' }])
    await factsOf(general({ prompts: { all: '' }, default_prompt_name: 'all' }), overrides);
  const set = await factsOf(general({ prompts: { all: 'a' }, default_prompt_name: 'all' }), {
    ...{ queryPrompt: 'x', passagePrompt: '' },
  });
  assert.deepEqual(set.prompts, { query: 'x', passage: '' });
});

test('a model whose files are refused asks for modules of its own, which are named', async () => {
  const folder = await sentenceFolder('mean and cosine', { 'modules.json': [] });
  assert.match((await askedBeside(folder, 'dot'))!, /^modules of its own \(.*lists no modules/);
});

test('a word of a file is what its table has, and nothing that is only spelled like it', async () => {
  const asked = (pooling: unknown) => ({
    '1_Pooling/config.json': { word_embedding_dimension: 12, ...(pooling as object) },
  });
  for (const mode of ['constructor', ['mean', ['mean']], { toString: true }])
    await assert.rejects(factsOf(asked({ pooling_mode: mode })), /its pooling is /, JSON.stringify(mode));
  const activation = 'torch.nn.modules.activation.Tanh';
  const modules = [
    { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
    { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    { idx: 2, name: '2', path: '2_Dense', type: 'sentence_transformers.models.Dense' },
  ];
  for (const said of ['toString', [activation], { toString: true }, null]) {
    const dense = { in_features: 12, out_features: 4, bias: false, activation_function: said };
    const files = {
      ...asked({ pooling_mode: 'mean' }),
      'modules.json': modules,
      '2_Dense/config.json': dense,
    };
    await assert.rejects(factsOf(files), /a dense layer has the activation /, JSON.stringify(said));
  }
  const files = { 'modules.json': [{ ...modules[0], type: { toString: true } }] };
  await assert.rejects(factsOf(files), /modules.json names \{"toString":true\}/);
});

test('a file is an object or refused by its name, and those that are there are told', async () => {
  const files = new FileReader(await sentenceFolder('mean and cosine', {}));
  const write = (name: string, text: string) => writeFile(path.join(files.folder, name), text);
  for (const [name, text] of [
    ['list.json', '[1]'],
    ['null.json', 'null'],
    ['text.json', '"a"'],
  ] as const) {
    await write(name, text);
    await assert.rejects(files.object(name), {
      code: 'CHECKPOINT_INVALID',
      message: `${files.folder} cannot be used as it was published: ${name} does not hold a JSON object.`,
    });
  }
  await write('object.json', '{"a": 1}');
  assert.deepEqual(await files.object('object.json'), { a: 1 });
  assert.equal(await files.object('absent.json'), undefined);
  assert.deepEqual(await files.firstObject('', ['absent.json', 'object.json', 'list.json']), { a: 1 });
  assert.equal(await files.firstObject('', ['absent.json']), undefined);
  await assert.rejects(files.needed('absent.json'), {
    message: /absent\.json is missing, which modules\.json names/,
  });
  assert.deepEqual(files.read, ['list.json', 'null.json', 'text.json', 'object.json', 'object.json']);
});
