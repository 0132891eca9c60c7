/** What every encoder is held to: its files are found here, and what transformers made of the same weights in the fixtures. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { type LoadedEncoder, loadEncoder, makeEncoder, saveEncoder } from '../harness/model/checkpoint.js';
import type { Encoder } from '../harness/model/encoder.js';
import { encoders, findEncoders } from '../harness/model/known-encoders.js';
import { SafetensorsFile } from '../harness/model/safetensors.js';
import { stream } from '../harness/random.js';
import { type Engine, sizeOf } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import { assertClose, type Batch, forward, gradients } from './encoder-runs.js';
import { inFixtures } from './places.js';
import { testedEngines } from './webgpu-driver.js';

const forms = encoders.flatMap(({ name, examples }) =>
  Object.entries(examples).map(([form, example]) => ({ name, form, example })),
);
const fixture = (form: string) => inFixtures(`model/${form}`);

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-encoders-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The states that transformers computed, [L + 1][B * T * D]. */
async function reference(form: string): Promise<Batch & { hidden: number[][] }> {
  return JSON.parse(await readFile(path.join(fixture(form), 'states.json'), 'utf8'));
}

/** An encoder of these sizes with random weights. */
function random(encoder: Encoder): LoadedEncoder {
  const weights = encoder.parameters.map(({ name, shape }) => {
    const draws = stream(2, 'weights', name);
    return Float32Array.from({ length: sizeOf(shape) }, () => 0.4 * draws.normal());
  });
  return { encoder, weights };
}

test('there is an encoder for each of the kinds that are listed, and each says what it needs', () => {
  assert.deepEqual(
    encoders.map(({ name }) => name),
    ['bert', 'distilbert', 'electra', 'modernbert', 'mpnet', 'roberta', 't5'],
  );
  for (const { name, modelTypes, summary, landmark, examples, make } of encoders) {
    assert.match(summary, /^[A-Z]/, name);
    for (const example of Object.values(examples)) {
      assert.ok(Object.hasOwn(modelTypes, String(example.model_type)), name);
      const { shape, parameters } = make(example);
      assert.equal(shape.kind, name);
      const bearing = parameters.filter((parameter) => parameter.name === landmark);
      assert.equal(bearing.length, 1, `${name} has its landmark once`);
      assert.equal(new Set(parameters.map((parameter) => parameter.name)).size, parameters.length);
    }
  }
});

for (const { title, name, options, skip } of await testedEngines()) {
  describe(`encoders on ${title}`, { skip }, () => {
    let engine: Engine;
    before(async () => {
      if (skip === false) engine = await openEngine(name, options);
    });
    after(() => engine?.dispose());

    for (const { form } of forms) {
      test(`${form}: every layer agrees with transformers, padding and a text of padding alone included`, async () => {
        const batch = await reference(form);
        const { hidden } = await forward(engine, await loadEncoder(fixture(form)), batch);
        assert.equal(hidden.length, batch.hidden.length);
        for (const [l, values] of hidden.entries()) assertClose(values, batch.hidden[l]!, 1e-4, `layer ${l}`);
      });

      test(`${form}: gradients of a sum over every layer agree with PyTorch`, async () => {
        const { ids, mask } = await reference(form);
        const loaded = await loadEncoder(fixture(form));
        const found = await gradients(engine, loaded, { ids: ids.slice(0, 2), mask: mask.slice(0, 2) });
        const file = await SafetensorsFile.open(path.join(fixture(form), 'gradients.safetensors'));
        const expected = await Promise.all(loaded.encoder.parameters.map(({ name }) => file.read(name)));
        await file.close();
        const sizes = expected.map((values) => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0));
        assert.ok(Math.max(...sizes) > 1, 'the sum depends on the weights');
        for (const [i, { name }] of loaded.encoder.parameters.entries()) {
          // A bias of keys shifts all scores of a query alike: its gradient is zero but for rounding.
          const unit = Math.max(sizes[i]!, 1e-2 * Math.max(...sizes));
          const scaled = (values: Float32Array) => values.map((value) => value / unit);
          assertClose(scaled(found[i]!), scaled(expected[i]!), 1e-3, name);
        }
      });
    }

    for (const { form, example } of forms) {
      test(`${form}: the states of a text do not depend on padding or on the batch`, async () => {
        const loaded = random(makeEncoder(example));
        const { paddingId } = loaded.encoder;
        const text = [2, 7, 9, 30, 11];
        const padded = [...text, paddingId, paddingId, paddingId];
        const other = [5, 6, 7, 8, 9, 10, 11, 12];
        const alone = await forward(engine, loaded, { ids: [text], mask: [text.map(() => 1)] });
        const beside = await forward(engine, loaded, {
          ids: [padded, other],
          mask: [padded.map((_, t) => (t < text.length ? 1 : 0)), other.map(() => 1)],
        });
        const { dimensions } = loaded.encoder.shape;
        for (const [l, values] of alone.hidden.entries()) {
          assertClose(beside.hidden[l]!.slice(0, values.length), values, 1e-5, `layer ${l}`);
          assertClose(beside.summaries[l]!.slice(0, dimensions), alone.summaries[l]!, 1e-5, `summary ${l}`);
        }
      });

      test(`${form}: what stands for a text is what its shape says, the last layer alone too`, async () => {
        const loaded = random(makeEncoder(example));
        const { dimensions, layers, summary } = loaded.encoder.shape;
        const batch = { ids: [[2, 7, 9, 30, 11]], mask: [[1, 1, 1, 1, 1]] };
        const { hidden, summaries } = await forward(engine, loaded, batch);
        for (const [l, found] of summaries.entries()) {
          const expected = Array.from({ length: dimensions }, (_, d) => {
            if (summary === 'first-token') return hidden[l]![d]!;
            let sum = 0;
            for (let t = 0; t < 5; t++) sum += hidden[l]![t * dimensions + d]!;
            return sum / 5;
          });
          assertClose(found, expected, 1e-5, `layer ${l}`);
        }
        const { summaries: lone } = await forward(engine, loaded, batch, { lastSummaryAlone: true });
        assertClose(lone[0]!, summaries[layers]!, 1e-5, 'the last summary by itself');
      });

      test(`${form}: dropout with nothing dropped scales what goes in, with all dropped nothing is left of it`, async () => {
        const { dropoutRates } = encoders.find(({ examples }) => Object.hasOwn(examples, form))!;
        const rates = Object.fromEntries(dropoutRates.map((rate) => [rate, 0.5]));
        const loaded = random(makeEncoder({ ...example, ...rates }));
        const sites = loaded.encoder.dropoutSites(1, 5);
        const batch = { ids: [[2, 7, 9, 30, 11]], mask: [[1, 1, 1, 1, 1]] };
        const masks = (value: number) => sites.map((site) => new Uint8Array(sizeOf(site.shape)).fill(value));
        const plain = await forward(engine, loaded, batch);
        const kept = await forward(engine, loaded, batch, { keep: masks(1) });
        assertClose(
          kept.hidden[0]!,
          plain.hidden[0]!.map((value) => 2 * value),
          1e-5,
          'embeddings',
        );
        const dropped = await forward(engine, loaded, batch, { keep: masks(0) });
        assert.ok(dropped.hidden[0]!.every((value) => value === 0));
        assert.ok(dropped.hidden.every((layer) => layer.every(Number.isFinite)));
        assert.ok(
          sites.every(({ rate }) => rate === 0.5),
          'training sets the rate of every site',
        );
        const none = Object.fromEntries(dropoutRates.map((rate) => [rate, 0]));
        assert.deepEqual(makeEncoder({ ...example, ...none }).dropoutSites(1, 5), []);
      });
    }
  });
}

for (const { name, form, example } of forms) {
  test(`${form}: a checkpoint read, saved and read again is the same, and names the class of transformers`, async () => {
    const loaded = await loadEncoder(fixture(form));
    const written = JSON.parse(await readFile(path.join(fixture(form), 'config.json'), 'utf8'));
    await withFolder(async (folder) => {
      await saveEncoder(folder, loaded.encoder, loaded.weights);
      const again = await loadEncoder(folder);
      assert.deepEqual(again.weights, loaded.weights);
      assert.deepEqual(again.encoder.parameters, loaded.encoder.parameters);
      const config = JSON.parse(await readFile(path.join(folder, 'config.json'), 'utf8'));
      const type = String(example.model_type);
      const { [type]: saved } = encoders.find((each) => each.name === name)!.modelTypes;
      assert.deepEqual(config, { ...written, architectures: [saved], torch_dtype: 'float32' });
      // transformers 5 tells 1 from 1.0, apart from rates.
      const texts = await Promise.all(
        [folder, fixture(form)].map((each) => readFile(path.join(each, 'config.json'), 'utf8')),
      );
      const [ours, theirs] = texts.map((text) =>
        [...text.matchAll(/"(\w+)": \d+\.0\b/g)].flatMap(([found, key]) =>
          /dropout|theta/.test(key!) ? [] : [found],
        ),
      );
      assert.deepEqual(ours, theirs);
      const file = await SafetensorsFile.open(path.join(folder, 'model.safetensors'));
      const stored = await SafetensorsFile.open(path.join(fixture(form), 'model.safetensors'));
      // Nothing that transformers has is left out, apart from what is written twice.
      const twice = ['encoder.embed_tokens.weight'];
      const names = [...stored.entries.keys()].filter((each) => !twice.includes(each));
      assert.deepEqual([...file.entries.keys()].sort(), names.sort());
      await file.close();
      await stored.close();
    });
  });
}

test('ModernBERT as transformers 4 described it is the same model', () => {
  const { example } = forms.find(({ form }) => form === 'modernbert')!;
  const rope = {
    sliding_attention: { rope_type: 'default', rope_theta: 500 },
    full_attention: { rope_type: 'default', rope_theta: 900 },
  };
  const types = ['full_attention', 'sliding_attention', 'full_attention', 'sliding_attention'];
  const { make } = encoders.find(({ name }) => name === 'modernbert')!;
  const now = make({ ...example, layer_types: types, rope_parameters: rope });
  const then = make({
    ...{ ...example, global_attn_every_n_layers: 2, local_rope_theta: 500, global_rope_theta: 900 },
    rope_scaling: null,
  });
  return openEngine('tfjs-cpu').then(async (engine) => {
    const batch = { ids: [[2, 7, 9, 30, 11, 12, 13]], mask: [Array(7).fill(1)] };
    const [a, b] = [await forward(engine, random(now), batch), await forward(engine, random(then), batch)];
    assert.deepEqual(a.hidden, b.hidden);
    const plain = await forward(engine, random(make(example)), batch);
    assert.notDeepEqual(a.hidden, plain.hidden);
    await engine.dispose();
  });
});

test('one file is enough for another encoder; two that take one model_type are refused by name', async () => {
  await withFolder(async (root) => {
    const folder = path.join(root, 'harness/encoders');
    await mkdir(folder, { recursive: true });
    await writeFile(path.join(root, 'package.json'), '{ "type": "module" }');
    const bert = pathToFileURL(path.resolve(import.meta.dirname, '../harness/encoders/bert.js')).href;
    const code = (type: string) =>
      `import bert from '${bert}';\nexport default { ...bert, modelTypes: { ${type}: 'OtherModel' } };\n`;
    await writeFile(path.join(folder, 'other.js'), code('other'));
    const [found, ...rest] = await findEncoders(root);
    assert.deepEqual([found!.name, Object.keys(found!.modelTypes), rest], ['other', ['other'], []]);
    await writeFile(path.join(folder, 'third.js'), code('other'));
    await assert.rejects(findEncoders(root), {
      code: 'PLUGIN_INVALID',
      message: "The encoders 'other' and 'third' both take the model_type 'other'.",
    });
    await writeFile(path.join(folder, 'little.js'), "export default { summary: 'nothing else' };\n");
    await assert.rejects(findEncoders(root), {
      code: 'PLUGIN_INVALID',
      message: /landmark \(string\).*make/,
    });
  });
});

test('every form has what transformers made of it, and every folder of fixtures is a form', async () => {
  for (const { form } of forms)
    for (const file of ['config.json', 'model.safetensors', 'states.json', 'gradients.safetensors'])
      assert.ok(existsSync(path.join(fixture(form), file)), `${form}/${file}: see make-encoders.py`);
  const folders = (await readdir(inFixtures('model'), { withFileTypes: true })).filter((each) =>
    each.isDirectory(),
  );
  assert.deepEqual(folders.map(({ name }) => name).sort(), forms.map(({ form }) => form).sort());
});
