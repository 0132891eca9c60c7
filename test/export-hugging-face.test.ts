import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { exportRetriever } from '../harness/export/export-folder.js';
import { loadEncoder } from '../harness/model/checkpoint.js';
import { SafetensorsFile } from '../harness/model/safetensors.js';
import { openCheckpoint } from '../harness/pipeline/checkpoint.js';
import { exportCheckpoint } from '../harness/pipeline/export-stage.js';
import { silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import { publishedFiles } from '../harness/text/published-tokenizer.js';
import { loadTokenizer } from '../harness/text/tokenizer-folder.js';
import { madeExport, madeTokenizer } from './made-exports.js';
import { sharedData } from './places.js';

const realData = sharedData;
const folder = await mkdtemp(path.join(tmpdir(), 'strata-hugging-face-'));
const engine = await openEngine('tfjs-cpu');
after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});
const tools = { engine, progress: silentProgress() };
const json = async (...parts: string[]) => JSON.parse(await readFile(path.join(...parts), 'utf8'));

test('two encoders become two folders that load again with equal weights', async () => {
  const trained = await madeExport('mlr-mix', 'bert', { tied: false });
  const target = path.join(folder, 'untied');
  const { files, checks } = await exportRetriever(trained, 'safetensors', target, tools);
  assert.deepEqual(checks, []);
  const inside = [
    'config.json',
    'model.safetensors',
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.txt',
  ];
  assert.deepEqual(
    files.map(({ name }) => name).sort(),
    [
      ...inside.flatMap((name) => [`passage/${name}`, `query/${name}`]),
      'pooling.safetensors',
      'retriever.json',
    ].sort(),
  );
  const again = await openCheckpoint(target, 'mlr-mix');
  assert.deepEqual(again.weights, trained.weights);
  const { weights } = await loadEncoder(path.join(target, 'query'));
  assert.deepEqual(
    weights[0],
    trained.weights[trained.retriever.indexOf('query', again.retriever.encoder.parameters[0]!.name)],
  );
  const config = await json(target, 'passage/config.json');
  assert.deepEqual([config.model_type, config.architectures], ['bert', ['BertModel']]);
  const file = await SafetensorsFile.open(path.join(target, 'passage/model.safetensors'));
  assert.ok(file.entries.has('encoder.layer.1.attention.self.query.weight'));
  await file.close();
});

test('an exported folder is a checkpoint that can be exported again', async () => {
  const trained = await madeExport('mlr-sc', 't5');
  const target = path.join(folder, 'tied');
  await exportRetriever(trained, 'safetensors', target, tools);
  assert.deepEqual(await readdir(target), ['encoder', 'retriever.json']);
  assert.deepEqual((await json(target, 'encoder/config.json')).architectures, ['T5EncoderModel']);
  const request = { checkpoint: target, format: 'onnx' as const, out: path.join(folder, 'onnx') };
  const { checks } = await exportCheckpoint({ ...request, engine: 'tfjs-cpu' }, silentProgress());
  assert.equal(checks.length, 2);
});

test('tokenizer files say what other tools ask of them', async () => {
  const published = publishedFiles(madeTokenizer, 24);
  const specials = {
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  };
  assert.deepEqual(JSON.parse(published['special_tokens_map.json']!), specials);
  assert.deepEqual(JSON.parse(published['tokenizer_config.json']!), {
    tokenizer_class: 'PreTrainedTokenizerFast',
    model_max_length: 24,
    ...specials,
  });
  assert.deepEqual(published['vocab.txt']!.split('\n').slice(4, 9), ['[MASK]', 'red', 'green', '##ish', 'a']);
});

for (const [name, special] of [
  ['BertForSequenceClassification', 'cls_token'],
  ['T5ForConditionalGeneration', 'eos_token'],
] as const) {
  test(`the tokenizer of ${name} keeps what its own files say`, async (t) => {
    const model = path.join(realData, 'tiny-models', name);
    if (!existsSync(model)) return t.skip(`no data at ${model}`);
    const published = publishedFiles(await loadTokenizer(model), 512);
    const config = await json(model, 'tokenizer_config.json');
    const found = JSON.parse(published['tokenizer_config.json']!);
    for (const [key, value] of Object.entries(config)) assert.deepEqual(found[key], value, key);
    const own = await json(model, 'special_tokens_map.json');
    assert.deepEqual(JSON.parse(published['special_tokens_map.json']!)[special], own[special]);
    assert.equal('vocab.txt' in published, name.startsWith('Bert'));
    if ('vocab.txt' in published)
      assert.equal(published['vocab.txt'], await readFile(path.join(model, 'vocab.txt'), 'utf8'));
  });
}
