/** Published sentence encoders: the vectors of sentence-transformers, and what is refused instead of guessed. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { writeSafetensors } from '../harness/model/safetensors.js';
import { sentenceFolder, variants, withoutSetting } from './sentence-folder.js';
import { assertNear, vectorsOf } from './sentence-vectors.js';

for (const [name, expected] of Object.entries(variants)) {
  test(`${name}: the vectors of sentence-transformers`, async () => {
    const found = await vectorsOf(await sentenceFolder(name));
    assertNear(found.queries, expected.queries, 'query');
    assertNear(found.passages, expected.passages, 'passage');
  });
}

test('what a user sets holds instead of the files', async () => {
  const found = await vectorsOf(await sentenceFolder('mean and cosine'), {
    ...{ pooling: 'mean', similarity: 'cosine', maxTokens: 32 },
    ...{ queryPrompt: 'query: ', passagePrompt: 'passage: ' },
  });
  assertNear(found.queries, variants.prompts!.queries, 'query');
  assertNear(found.passages, variants.prompts!.passages, 'passage');
});

test('without modules.json it is refused until pooling and similarity are given', async () => {
  const bare = await sentenceFolder('mean and cosine', { 'modules.json': null });
  await assert.rejects(vectorsOf(bare), (error: BenchError) => {
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, /has no modules\.json/);
    assert.match(error.hint!, /pretrained\.pooling.* and pretrained\.similarity/);
    return true;
  });
  const given = { ...withoutSetting, pooling: 'mean', similarity: 'cosine' } as const;
  assertNear((await vectorsOf(bare, given)).queries, variants['mean and cosine']!.queries, 'query');
});

const modules = variants['mean and cosine']!.files['modules.json'] as Record<string, unknown>[];
const pooling = variants['mean and cosine']!.files['1_Pooling/config.json'] as Record<string, unknown>;
const st = (type: string, place: number, own = `${place}_x`) => ({
  ...{ idx: place, name: String(place), path: own, type },
});
const refused: Record<string, [Record<string, unknown>, RegExp]> = {
  'an unknown module': [
    { 'modules.json': [...modules, st('sentence_transformers.models.WordWeights', 3)] },
    /names the module WordWeights; known: Transformer, Pooling, Dense, Normalize/,
  ],
  "code of the model's own": [
    { 'modules.json': [st('custom_st.Transformer', 0, ''), ...modules.slice(1)] },
    /names "custom_st\.Transformer": code of the model's own is not run/,
  ],
  'a folder outside': [
    { 'modules.json': [modules[0], st('sentence_transformers.models.Pooling', 1, '../1_Pooling')] },
    /modules\.json has the entry .*\.\.\/1_Pooling/,
  ],
  'no modules': [{ 'modules.json': [] }, /lists no modules/],
  'not JSON': [{ 'modules.json': '[{' }, /modules\.json is not JSON/],
  'two poolings': [
    { 'modules.json': [...modules, st('sentence_transformers.models.Pooling', 3, '1_Pooling')] },
    /has 2 poolings/,
  ],
  'a pooling of another width': [
    { '1_Pooling/config.json': { ...pooling, word_embedding_dimension: 24 } },
    /pooling is for 24 numbers a token, and its encoder gives 12/,
  ],
  'a mode that nobody knows': [
    { '1_Pooling/config.json': { ...pooling, pooling_mode_attention: true } },
    /pooling_mode_attention = true of pooling, which is not known/,
  ],
  'what is not known of normalization': [
    { '2_Normalize/config.json': { p: 1 } },
    /p = 1 of normalization, which is not known/,
  ],
  'no mode': [
    { '1_Pooling/config.json': { ...pooling, pooling_mode_mean_tokens: false } },
    /its pooling names no mode/,
  ],
  'a pooling that is missing': [{ '1_Pooling/config.json': null }, /1_Pooling\/config\.json is missing/],
  'another similarity': [
    { 'config_sentence_transformers.json': { similarity_fn_name: 'manhattan' } },
    /its similarity is "manhattan"; known: dot, cosine/,
  ],
  'another kind of model': [
    { 'config_sentence_transformers.json': { model_type: 'CrossEncoder' } },
    /its model_type is "CrossEncoder"/,
  ],
  'a prompt that is a number': [
    { 'config_sentence_transformers.json': { prompts: { query: 1 } } },
    /its prompts are \{"query":1\}/,
  ],
  'a default prompt that fits both': [
    { 'config_sentence_transformers.json': { prompts: { all: 'the ' }, default_prompt_name: 'all' } },
    /names the prompt 'all' \("the "\), and does not say whether/,
  ],
  'a prompt of passages that no version takes': [
    { 'config_sentence_transformers.json': { prompts: { passage: 'passage: ' } } },
    /names the prompt 'passage' \("passage: "\)/,
  ],
  'an encoder of pictures': [
    { 'sentence_bert_config.json': { modality_config: { image: { method: 'forward' } } } },
    /modality_config = .*image.* of its encoder, which is not known/,
  ],
  'a default prompt that is none': [
    { 'config_sentence_transformers.json': { prompts: { a: 'b' }, default_prompt_name: 'c' } },
    /its default prompt 'c' is none of its prompts/,
  ],
  'what is not known of its texts': [
    { 'config_sentence_transformers.json': { truncate_dim: 8 } },
    /truncate_dim = 8 of how texts are encoded, which is not known/,
  ],
  'half a token': [{ 'sentence_bert_config.json': { max_seq_length: 1.5 } }, /max_seq_length is 1\.5/],
  'a prompt that leaves no room': [
    {
      'config_sentence_transformers.json': { prompts: { query: 'the old river '.repeat(20) } },
    },
    /The prompt .* takes \d+ of 32 tokens, and leaves none for a text/,
  ],
};
for (const [name, [files, message]] of Object.entries(refused)) {
  test(`refused by name: ${name}`, async () => {
    const folder = await sentenceFolder('mean and cosine', files);
    await assert.rejects(vectorsOf(folder), (error: unknown) => {
      assert.ok(error instanceof BenchError, String(error));
      assert.match(error.message, message);
      return true;
    });
  });
}

test('a dense layer with a number that is none is refused by its name', async () => {
  const folder = await sentenceFolder('a dense layer');
  const own = Object.keys(variants['a dense layer']!.dense)[0]!;
  const tensors = Object.entries(variants['a dense layer']!.dense[own]!).map(([name, { shape, values }]) => ({
    ...{ name, shape, values: Float32Array.from(values) },
  }));
  tensors[0]!.values[3] = Number.NEGATIVE_INFINITY;
  await writeSafetensors(path.join(folder, own, 'model.safetensors'), tensors);
  await assert.rejects(vectorsOf(folder), {
    code: 'CHECKPOINT_INVALID',
    message: new RegExp(`${tensors[0]!.name} holds -Infinity at element 3; expected finite numbers`),
  });
});

test('a dense layer of other sizes than it says is refused', async () => {
  const name = 'a dense layer';
  const config = variants[name]!.files['2_Dense/config.json'] as Record<string, unknown>;
  const other = (change: object) => sentenceFolder(name, { '2_Dense/config.json': { ...config, ...change } });
  await assert.rejects(vectorsOf(await other({ in_features: 24 })), /takes 24 numbers and gets 12/);
  await assert.rejects(vectorsOf(await other({ out_features: 8 })), /holds 84 numbers, not 96/);
  await assert.rejects(vectorsOf(await other({ bias: false })), /hold 1 arrays more than they say/);
  const softmax = 'torch.nn.modules.activation.Softmax';
  await assert.rejects(vectorsOf(await other({ activation_function: softmax })), /the activation .*Softmax/);
});
