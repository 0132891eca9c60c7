/** Learned sparse models that are not as they should be: what is refused, by its name. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { SafetensorsFile, writeSafetensors } from '../harness/model/safetensors.js';
import { kindFolder } from './sentence-folder.js';
import { routedFolder, splade, spladeFolder, weightsOf } from './splade-folder.js';

const { files } = splade.variants.max!;
const modules = files['modules.json'] as Record<string, unknown>[];
const pooling = files['1_SpladePooling/config.json'] as Record<string, unknown>;
const general = { model_type: 'SparseEncoder', prompts: {} };
const refused: Record<string, [Record<string, unknown>, RegExp]> = {
  'another pooling': [
    { 'modules.json': [modules[0], { ...modules[1], type: 'sentence_transformers.models.Pooling' }] },
    /behind its MLMTransformer it has Pooling; known: SpladePooling alone/,
  ],
  'a module behind it': [
    { 'modules.json': [...modules, { ...modules[1], idx: 2 }] },
    /it has SpladePooling, SpladePooling; known: SpladePooling alone/,
  ],
  'an autoencoder': [
    {
      'modules.json': [
        { ...modules[0], type: 'sentence_transformers.sparse_encoder.models.SparseAutoEncoder' },
      ],
    },
    /its first module is SparseAutoEncoder, and only Transformer and MLMTransformer and Router are known there/,
  ],
  'another strategy': [
    { '1_SpladePooling/config.json': { ...pooling, pooling_strategy: 'mean' } },
    /its pooling_strategy is "mean"; known: max, sum/,
  ],
  'another activation': [
    { '1_SpladePooling/config.json': { ...pooling, activation_function: 'gelu' } },
    /its activation_function is "gelu"; known: relu, log1p_relu/,
  ],
  'what is not known of pooling': [
    { '1_SpladePooling/config.json': { ...pooling, threshold: 0.1 } },
    /threshold = 0\.1 of SPLADE pooling, which is not known/,
  ],
  'a dense model of sentence-transformers': [
    { 'config_sentence_transformers.json': { ...general, model_type: 'SentenceTransformer' } },
    /its model_type is "SentenceTransformer", not SparseEncoder/,
  ],
  'another similarity': [
    { 'config_sentence_transformers.json': { ...general, similarity_fn_name: 'cosine' } },
    /its similarity is "cosine"; known: dot/,
  ],
  'an encoder of another task': [
    { 'sentence_bert_config.json': { max_seq_length: 9, transformer_task: 'feature-extraction' } },
    /transformer_task = "feature-extraction" of its encoder, which is not known/,
  ],
};

for (const [what, [own, message]] of Object.entries(refused)) {
  test(`${what} is refused by name`, async () => {
    await assert.rejects(weightsOf(spladeFolder('max', own)), { code: 'CHECKPOINT_INVALID', message });
  });
}

const router = splade.routed.files['router_config.json'] as Record<string, Record<string, unknown>>;
const refusedRouters: Record<string, [Record<string, unknown>, RegExp]> = {
  'another route': [
    { ...router, structure: { ...router.structure, image: [] } },
    /its router has the routes document and image and query; known: document and query/,
  ],
  'queries through an encoder': [
    { ...router, structure: { ...router.structure, query: router.structure!.document } },
    /its queries go through MLMTransformer, SpladePooling; known: SparseStaticEmbedding alone/,
  ],
  'passages without one': [
    { ...router, structure: { ...router.structure, document: router.structure!.query } },
    /its passages go through SparseStaticEmbedding first; known: Transformer/,
  ],
  'a mapping of routes': [
    { ...router, parameters: { ...router.parameters, route_mappings: { "('query', 'text')": 'document' } } },
    /mappings = .* of its router, which is not known/,
  ],
};

for (const [what, [config, message]] of Object.entries(refusedRouters)) {
  test(`a router with ${what} is refused by name`, async () => {
    const folder = await routedFolder({ 'router_config.json': config });
    await assert.rejects(weightsOf(folder), { code: 'CHECKPOINT_INVALID', message });
  });
}

test('weights of queries that are too few or below 0 are refused', async () => {
  const { idf } = splade.routed;
  await assert.rejects(weightsOf(await routedFolder({}, idf.slice(1))), {
    code: 'CHECKPOINT_INVALID',
    message: new RegExp(`its weight is \\[${idf.length - 1}\\]; expected \\[${idf.length}\\]`),
  });
  await assert.rejects(weightsOf(await routedFolder({}, idf.with(7, -1))), {
    message: /token 7 has the weight -1, below 0/,
  });
});

/** The tensors of a folder, changed. */
async function changed(
  folder: string,
  change: (name: string, values: Float32Array) => Float32Array | undefined,
  cut: Readonly<Record<string, readonly number[]>> = {},
): Promise<string> {
  const file = path.join(folder, 'model.safetensors');
  const source = await SafetensorsFile.open(file);
  const tensors = [];
  for (const [name, { shape }] of source.entries) {
    const values = change(name, await source.read(name));
    if (values !== undefined) tensors.push({ name, shape: [...(cut[name] ?? shape)], values });
  }
  await source.close();
  await writeSafetensors(file, tensors);
  return folder;
}

test('a head that is missing, misshapen, or contradicts the table of words is named', async () => {
  await assert.rejects(weightsOf(kindFolder('distilbert', { isBare: true })), {
    code: 'CHECKPOINT_INVALID',
    message:
      /it has no modules\.json, and its config\.json names \["DistilBertModel"\], which is no masked language model/,
  });
  const bare = await changed(spladeFolder('bert'), (name, values) =>
    name.startsWith('cls.') ? undefined : values,
  );
  await assert.rejects(weightsOf(bare), (error: BenchError) => {
    assert.match(
      error.message,
      /holds no head of a masked language model.*cls\.predictions\.transform\.dense\.weight/,
    );
    assert.match(error.hint!, /pretrained:FOLDER/);
    return true;
  });
  const without = await changed(spladeFolder('bert'), (name, values) =>
    name === 'cls.predictions.bias' ? undefined : values,
  );
  await assert.rejects(weightsOf(without), {
    message: /cannot be used as bert: 1 of 5 tensors:\n {2}- cls\.predictions\.bias is missing/,
  });
  const short = await changed(
    spladeFolder('bert'),
    (name, values) => (name === 'cls.predictions.bias' ? values.subarray(1) : values),
    { 'cls.predictions.bias': [splade.routed.idf.length - 1] },
  );
  await assert.rejects(weightsOf(short), { message: /cls\.predictions\.bias is \[\d+\]; expected \[\d+\]/ });
  const nan = await changed(spladeFolder('bert'), (name, values) =>
    name === 'cls.predictions.bias' ? values.with(3, Number.NaN) : values,
  );
  await assert.rejects(weightsOf(nan), { message: /cls\.predictions\.bias holds NaN at element 3/ });
  // Two arrays that are said to be one.
  const untied = spladeFolder('bert-untied');
  const config = JSON.parse(await readFile(path.join(untied, 'config.json'), 'utf8')) as object;
  await writeFile(path.join(untied, 'config.json'), JSON.stringify({ ...config, tie_word_embeddings: true }));
  await assert.rejects(weightsOf(untied), {
    code: 'CHECKPOINT_INVALID',
    message: /cls\.predictions\.decoder\.weight differs from embeddings\.word_embeddings\.weight/,
  });
});

test('a kind of encoder without a head that is known is refused by name', async () => {
  const folder = kindFolder('t5', { isBare: true });
  const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8')) as object;
  await writeFile(
    path.join(folder, 'config.json'),
    JSON.stringify({ ...config, architectures: ['T5ForMaskedLM'] }),
  );
  await assert.rejects(weightsOf(folder), { message: /No masked language model of the kind t5 is known/ });
});

test('what no setting mends is not said to be mended by one', async () => {
  const folder = spladeFolder('bert', {
    'config.json': { architectures: ['BertForTokenClassification'] },
  });
  await assert.rejects(weightsOf(folder), {
    hint: 'Its weights would be others than its authors meant. Choose another model, or have sentence-transformers save it: SparseEncoder(...).save_pretrained(...).',
  });
});
