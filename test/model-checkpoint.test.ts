import assert from 'node:assert/strict';
import { copyFile, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { loadEncoder, saveEncoder } from '../harness/model/checkpoint.js';
import { type NamedTensor, SafetensorsFile, writeSafetensors } from '../harness/model/safetensors.js';
import { inFixtures, sharedData } from './places.js';

const fixtures = inFixtures('model');
const realData = sharedData;

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readTensors(file: string): Promise<NamedTensor[]> {
  const opened = await SafetensorsFile.open(file);
  const tensors: NamedTensor[] = [];
  for (const [name, { shape }] of opened.entries)
    tensors.push({ name, shape, values: await opened.read(name) });
  await opened.close();
  return tensors;
}

describe('loadEncoder', () => {
  test('names with prefixes and old names, heads and position ids beside them, several files', async () => {
    const plain = await loadEncoder(path.join(fixtures, 'bert-gelu'));
    const tensors = await readTensors(path.join(fixtures, 'bert-gelu/model.safetensors'));
    const extra = (name: string) => ({ name, shape: [1], values: Float32Array.of(Number.NaN) });
    const old = (name: string) => name.replace('Norm.weight', 'Norm.gamma').replace('Norm.bias', 'Norm.beta');
    await withFolder(async (folder) => {
      await copyFile(path.join(fixtures, 'bert-gelu/config.json'), path.join(folder, 'config.json'));
      const file = path.join(folder, 'model.safetensors');
      for (const prefix of [
        'bert.',
        'encoder.',
        'query_encoder.',
        'question_model.',
        'ctx_model.',
        'lm.bert.',
      ]) {
        const renamed = tensors.map((tensor) => ({ ...tensor, name: prefix + old(tensor.name) }));
        const heads = [
          'cls.predictions.bias',
          `${prefix}pooler.dense.bias`,
          `${prefix}embeddings.position_ids`,
        ];
        await writeSafetensors(file, [...renamed, ...heads.map(extra)]);
        assert.deepEqual((await loadEncoder(folder)).weights, plain.weights, prefix);
      }
      await rm(file);
      const halves = [tensors.slice(0, 20), tensors.slice(20)];
      const map: Record<string, string> = {};
      for (const [i, half] of halves.entries()) {
        const name = `model-0000${i + 1}-of-00002.safetensors`;
        await writeSafetensors(path.join(folder, name), half);
        for (const tensor of half) map[tensor.name] = name;
      }
      const index = path.join(folder, 'model.safetensors.index.json');
      await writeFile(index, JSON.stringify({ metadata: {}, weight_map: map }));
      assert.deepEqual((await loadEncoder(folder)).weights, plain.weights);
      await rm(path.join(folder, 'model-00002-of-00002.safetensors'));
      await assert.rejects(loadEncoder(folder), { message: /lacks model-00002-of-00002.safetensors/ });
      await writeFile(index, '{"weight_map": {"a": "../elsewhere"}}');
      await assert.rejects(loadEncoder(folder), { message: /"..\/elsewhere"/ });
    });
  });

  test('a file with several encoders asks which one', async () => {
    const tensors = await readTensors(path.join(fixtures, 'bert-gelu/model.safetensors'));
    await withFolder(async (folder) => {
      await copyFile(path.join(fixtures, 'bert-gelu/config.json'), path.join(folder, 'config.json'));
      const named = (prefix: string, by: number) =>
        tensors.map(({ name, shape, values }) => ({
          name: prefix + name,
          shape,
          values: values.map((x) => x * by),
        }));
      const both = [...named('question_model.', 1), ...named('ctx_model.', 2)];
      await writeSafetensors(path.join(folder, 'model.safetensors'), both);
      const message = /several encoders; their names begin with 'question_model\.', 'ctx_model\.'/;
      await assert.rejects(loadEncoder(folder), { code: 'CHECKPOINT_INVALID', message });
      const { weights } = await loadEncoder(folder, { prefix: 'ctx_model.' });
      assert.deepEqual(
        weights[0],
        tensors.find(({ name }) => name.includes('word_emb'))!.values.map((x) => x * 2),
      );
      await assert.rejects(loadEncoder(folder, { prefix: 'x.' }), { message: /no encoder 'x\.'/ });
    });
  });

  test("T5's table under its other name, with a decoder beside it", async () => {
    const plain = await loadEncoder(path.join(fixtures, 't5-gated'));
    const tensors = await readTensors(path.join(fixtures, 't5-gated/model.safetensors'));
    await withFolder(async (folder) => {
      await copyFile(path.join(fixtures, 't5-gated/config.json'), path.join(folder, 'config.json'));
      // transformers saves the table under both names where it is told to keep tied weights.
      const renamed = tensors.filter(({ name }) => name !== 'shared.weight');
      assert.ok(renamed.some(({ name }) => name === 'encoder.embed_tokens.weight'));
      const decoder = 'decoder.block.0.layer.0.SelfAttention.q.weight';
      const extra = { name: decoder, shape: [1], values: Float32Array.of(1) };
      await writeSafetensors(path.join(folder, 'model.safetensors'), [...renamed, extra]);
      assert.deepEqual((await loadEncoder(folder)).weights, plain.weights);
    });
  });

  test('missing, misshapen and non-finite tensors are listed all at once', async () => {
    const tensors = await readTensors(path.join(fixtures, 't5-relu/model.safetensors'));
    await withFolder(async (folder) => {
      await copyFile(path.join(fixtures, 't5-relu/config.json'), path.join(folder, 'config.json'));
      const damaged = tensors
        .filter(({ name }) => !name.includes('relative_attention_bias'))
        .map(({ name, shape, values }) => {
          if (name === 'encoder.block.1.layer.0.SelfAttention.k.weight') shape = [...shape].reverse();
          if (name === 'encoder.final_layer_norm.weight')
            values = values.map((x, i) => (i === 3 ? Number.NaN : x));
          if (name === 'shared.weight')
            values = values.map((x, i) => (i === 5 ? Number.NEGATIVE_INFINITY : x));
          return { name, shape, values };
        });
      await writeSafetensors(path.join(folder, 'model.safetensors'), damaged);
      await assert.rejects(loadEncoder(folder), (error: Error & { code: string }) => {
        assert.equal(error.code, 'CHECKPOINT_INVALID');
        assert.match(error.message, /4 of 27 tensors/);
        assert.match(
          error.message,
          /SelfAttention\.relative_attention_bias\.weight is missing; expected \[8,2\]/,
        );
        assert.match(
          error.message,
          /block\.1\.layer\.0\.SelfAttention\.k\.weight is \[16,12\]; expected \[12,16\]/,
        );
        assert.match(error.message, /final_layer_norm\.weight holds NaN at element 3/);
        assert.match(error.message, /shared\.weight holds -Infinity at element 5/);
        return true;
      });
    });
  });

  test('folders that hold no checkpoint, or one of another kind', async () => {
    await withFolder(async (folder) => {
      const refused = async (code: string, message: RegExp, hint?: RegExp) =>
        assert.rejects(loadEncoder(folder), (error: Error & { code: string; hint?: string }) => {
          assert.equal(error.code, code);
          assert.match(error.message, message);
          if (hint !== undefined) assert.match(error.hint ?? '', hint);
          return true;
        });
      const config = path.join(folder, 'config.json');
      await refused('CHECKPOINT_INVALID', /holds no config\.json/);
      await writeFile(config, '{');
      await refused('CHECKPOINT_INVALID', /config\.json is not JSON/);
      await writeFile(config, '[]');
      await refused('CHECKPOINT_INVALID', /does not hold a JSON object/);
      await writeFile(config, '{"model_type": "deberta"}');
      await refused('CHECKPOINT_INVALID', /model_type "deberta"; supported: bert, distilbert, /);
      await writeFile(config, '{}');
      await refused('CHECKPOINT_INVALID', /names no model_type/);
      await copyFile(path.join(fixtures, 't5-relu/config.json'), config);
      await refused('CHECKPOINT_INVALID', /holds no model\.safetensors/);
      await writeFile(path.join(folder, 'pytorch_model.bin'), 'PK');
      await refused(
        'CHECKPOINT_INVALID',
        /only as pytorch_model\.bin/,
        /python -c "import torch, safetensors/,
      );
      await copyFile(
        path.join(fixtures, 'bert-gelu/model.safetensors'),
        path.join(folder, 'model.safetensors'),
      );
      await refused('CHECKPOINT_INVALID', /holds bert weights, while its config\.json says model_type 't5'/);
      await copyFile(
        path.join(fixtures, 't5-relu/model.safetensors'),
        path.join(folder, 'model.safetensors'),
      );
      await copyFile(path.join(fixtures, 'bert-gelu/config.json'), config);
      await refused('CHECKPOINT_INVALID', /holds t5 weights, while its config\.json says model_type 'bert'/);
      const bytes = await readFile(path.join(fixtures, 'bert-gelu/model.safetensors'));
      await writeFile(path.join(folder, 'model.safetensors'), bytes.subarray(0, bytes.length - 100));
      await refused('CHECKPOINT_INVALID', /cut off/);
      await rm(folder, { recursive: true });
      await refused('PATH_INVALID', /is not there/);
      await writeFile(folder, '');
      await refused('PATH_INVALID', /is a file/);
    });
  });

  test('a real T5 checkpoint with its decoder', async (t) => {
    const folder = path.join(realData, 'tiny-models/T5ForConditionalGeneration');
    const loaded = await loadEncoder(folder).catch((error: Error & { code?: string }) => {
      if (error.code !== 'PATH_INVALID') throw error;
    });
    if (loaded === undefined) return t.skip(`no data at ${folder}`);
    assert.deepEqual(loaded.encoder.shape, {
      ...{ kind: 't5', layers: 5, dimensions: 32, maxTokens: Infinity, summary: 'mean' },
    });
    assert.deepEqual(
      loaded.weights.map((values) => values.length),
      loaded.encoder.parameters.map(({ shape }) => shape.reduce((a, b) => a * b, 1)),
    );
  });
});

describe('saveEncoder', () => {
  for (const model of ['bert-gelu', 't5-gated']) {
    test(`${model}: what is saved loads as the same encoder, in equal bytes`, async () => {
      const { encoder, weights } = await loadEncoder(path.join(fixtures, model));
      await withFolder(async (folder) => {
        const target = path.join(folder, 'new/checkpoint');
        await saveEncoder(target, encoder, weights, { 'tokenizer.json': '{}\n' });
        assert.deepEqual((await readdir(target)).sort(), [
          'config.json',
          'model.safetensors',
          'tokenizer.json',
        ]);
        const again = await loadEncoder(target);
        assert.deepEqual(again.weights, weights);
        assert.deepEqual(again.encoder.parameters, encoder.parameters);
        const copy = path.join(folder, 'copy');
        await cp(target, copy, { recursive: true });
        await saveEncoder(target, again.encoder, again.weights, { 'tokenizer.json': '{}\n' });
        for (const name of await readdir(copy)) {
          assert.deepEqual(
            await readFile(path.join(target, name)),
            await readFile(path.join(copy, name)),
            name,
          );
        }
      });
    });
  }
});
