/** Published cross-encoders: the scores of sentence-transformers' CrossEncoder, and what is refused instead of guessed. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { SafetensorsFile, writeSafetensors } from '../harness/model/safetensors.js';
import { describeCross } from '../harness/pipeline/published-cross.js';
import { crossFile, crossFolder, crossKinds, scoresOf } from './cross-folder.js';
import { testedEngines } from './webgpu-driver.js';

const config = crossFile('bert', 'config.json');
const tokens = crossFile('bert', 'tokenizer_config.json');
const saved = crossKinds.kinds.bert!.saved!;

function assertScores(found: readonly number[][], expected: readonly number[][], tolerance = 1e-5): void {
  for (const [q, scores] of expected.entries())
    for (const [p, score] of scores.entries())
      assert.ok(
        Math.abs(found[q]![p]! - score) <= tolerance * Math.max(1, Math.abs(score)),
        `query ${q}, passage ${p}: ${found[q]![p]}, not ${score}`,
      );
}

for (const [name, { scores }] of Object.entries(crossKinds.kinds)) {
  test(`${name}: the scores of CrossEncoder, of pairs that are cut and of empty texts too`, async () => {
    assertScores(await scoresOf(crossFolder(name)), scores);
    // Passages differ, or the test would say nothing.
    for (const own of scores) assert.ok(Math.max(...own) - Math.min(...own) > 1e-3);
  });

  test(`${name}: scores do not depend on the batch but in their last bits, on threads in none`, async () => {
    const folder = crossFolder(name);
    const [one, two] = [await scoresOf(folder), await scoresOf(folder, { threads: 2 })];
    assert.deepEqual(two, one);
    assertScores(await scoresOf(folder, { batchTokens: 32 }), one, 1e-6);
  });
}

for (const { title, skip, ...engine } of (await testedEngines()).filter(({ title }) => title !== 'onnx')) {
  test(`every kind gives the scores of CrossEncoder on ${title}`, { skip }, async () => {
    for (const [name, { scores }] of Object.entries(crossKinds.kinds))
      assertScores(await scoresOf(crossFolder(name), { engine }), scores);
  });
}

test('what sentence-transformers saves today is read as it reads it', async () => {
  const { savedScores } = crossKinds.kinds.bert!;
  const folder = crossFolder('bert', saved);
  assertScores(await scoresOf(folder), savedScores!);
  const { facts } = await describeCross(folder, { maxTokens: null });
  assert.equal(facts.activation, 'identity');
  assert.ok(facts.files.includes('config_sentence_transformers.json'));
});

test('the model is told segments where its files say so, and scores by them', async () => {
  const names = ['input_ids', 'attention_mask'];
  const without = crossFolder('bert', { 'tokenizer_config.json': { ...tokens, model_input_names: names } });
  const said = { ...tokens, tokenizer_class: 'PreTrainedTokenizerFast' };
  const types = { ...said, model_input_names: [...names, 'token_type_ids'] };
  const usual = await scoresOf(crossFolder('bert'));
  assert.notDeepEqual(await scoresOf(without), usual);
  assert.deepEqual(await scoresOf(crossFolder('bert', { 'tokenizer_config.json': types })), usual);
});

test('a user may cut pairs shorter, never longer than the positions', async () => {
  const folder = crossFolder('bert');
  const lengthOf = async (maxTokens: number | null) => (await describeCross(folder, { maxTokens })).maxTokens;
  assert.deepEqual([await lengthOf(null), await lengthOf(8), await lengthOf(100)], [32, 8, 40]);
  assert.notDeepEqual(await scoresOf(folder, { maxTokens: 8 }), await scoresOf(folder));
});

test('int8 and f16 score near what float32 does', async () => {
  const folder = crossFolder('roberta');
  const float = await scoresOf(folder);
  for (const [precision, tolerance] of [
    ['int8', 0.1],
    ['f16', 0.01],
  ] as const) {
    const found = await scoresOf(folder, { precision });
    assert.notDeepEqual(found, float);
    assertScores(found, float, tolerance);
  }
});

const refused: Record<string, [Record<string, unknown>, RegExp]> = {
  'two labels': [
    { 'config.json': { ...config, id2label: { 0: 'no', 1: 'yes' } } },
    /has 2 labels: which of them is the score is not said; known: 1/,
  ],
  'labels that nobody counts': [
    { 'config.json': { ...config, id2label: undefined, label2id: undefined } },
    /has 2 labels/,
  ],
  'two counts of labels': [{ 'config.json': { ...config, num_labels: 3 } }, /has 3 labels/],
  'an encoder without a head': [
    { 'config.json': { ...config, architectures: ['BertModel'] } },
    /names the architecture \["BertModel"\]; known: those that end with ForSequenceClassification/,
  ],
  'an activation that nobody knows': [
    { 'config.json': { ...config, sentence_transformers: { activation_fn: 'torch.nn.Softplus' } } },
    /its activation is "torch\.nn\.Softplus"; known: .*Identity.*Sigmoid/,
  ],
  "code of the model's own": [
    { 'config.json': { ...config, auto_map: { AutoModelForSequenceClassification: 'own.Model' } } },
    /auto_map names code of the checkpoint's own/,
  ],
  'a second module': [
    {
      ...saved,
      'modules.json': [
        ...(saved['modules.json'] as unknown as object[]),
        { idx: 1, name: '1', path: '1_Dense', type: 'sentence_transformers.models.Dense' },
      ],
    },
    /names Transformer, Dense; known: Transformer alone/,
  ],
  'a prompt': [
    {
      ...saved,
      'config_sentence_transformers.json': { prompts: { query: 'q: ' }, default_prompt_name: 'query' },
    },
    /its prompts are .*q: /,
  ],
  'another kind of model': [
    { ...saved, 'config_sentence_transformers.json': { model_type: 'SparseEncoder' } },
    /its model_type is "SparseEncoder"; known: CrossEncoder/,
  ],
  'what is not known of scoring': [
    { ...saved, 'config_sentence_transformers.json': { keep_in_fp32_modules: ['0.model.classifier'] } },
    /keep_in_fp32_modules = .* of how pairs are scored, which is not known/,
  ],
  'a tokenizer that cuts at the left': [
    { 'tokenizer_config.json': { ...tokens, truncation_side: 'left' } },
    /has the truncation_side "left"; known: right/,
  ],
  'a tokenizer that leaves segments open': [
    { 'tokenizer_config.json': { ...tokens, tokenizer_class: 'PreTrainedTokenizerFast' } },
    /leaves open whether the model is told which of two texts a token is of/,
  ],
  'no config.json': [{ 'config.json': null }, /there is no config\.json/],
};
for (const [what, [files, message]] of Object.entries(refused)) {
  test(`${what} is refused by name`, async () => {
    await assert.rejects(
      describeCross(crossFolder('bert', files), { maxTokens: null }),
      (error: BenchError) => {
        assert.equal(error.code, 'CHECKPOINT_INVALID');
        assert.match(error.message, message);
        assert.ok(error.hint);
        return true;
      },
    );
  });
}

test('a head of which tensors are missing is refused with their names', async () => {
  // The encoder is there, and its head has MPNet's names.
  const folder = crossFolder('mpnet');
  const file = await SafetensorsFile.open(path.join(folder, 'model.safetensors'));
  const tensors = [];
  for (const [name, { shape }] of file.entries)
    if (!name.startsWith('classifier.out_proj')) tensors.push({ name, shape, values: await file.read(name) });
  await file.close();
  await writeSafetensors(path.join(folder, 'model.safetensors'), tensors);
  await assert.rejects(describeCross(folder, { maxTokens: null }), {
    code: 'CHECKPOINT_INVALID',
    message:
      /cannot be used as mpnet: 2 of 4 tensors:\n {2}- classifier\.out_proj\.weight is missing; expected \[1,12\]/,
  });
});
