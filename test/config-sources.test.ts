import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { Ajv } from 'ajv';
import { type BenchConfig, loadConfig } from '../harness/config/config.js';
import { configSchema, defaultConfig, type SchemaNode } from '../harness/config/schema.js';
import { presets } from '../harness/presets.js';
import { engineNames } from '../harness/tensor/engine.js';
import { expectedDefaults } from './expected-defaults.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bench-config-'));
after(() => rmSync(folder, { recursive: true }));

/** A folder without a configuration file. */
const cwd = folder;

function fileOf(name: string, text: string): string {
  writeFileSync(path.join(folder, name), text);
  return name;
}

/** Written out by hand: the compiler checks that the interface has these keys and no others. */

test('the defaults of the schema are the interface, key by key', () => {
  assert.deepEqual(defaultConfig(), expectedDefaults);
});

test('ajv accepts the defaults, and every key has a description and a default', () => {
  const validate = new Ajv({ strict: true, allowUnionTypes: true }).compile(configSchema());
  assert.ok(validate(expectedDefaults), JSON.stringify(validate.errors));
  const walk = (node: SchemaNode, at: string): void => {
    assert.ok(node.description, `${at} has no description`);
    if (node.properties === undefined)
      assert.ok(at === '$schema' || node.default !== undefined, `${at} has no default`);
    for (const [key, member] of Object.entries(node.properties ?? {})) walk(member, key);
  };
  walk(configSchema(), 'the schema');
});

test('names in the schema are those of the rooms that own them', () => {
  const named = (key: string) => configSchema().properties![key]!.enum;
  const { anyOf } = configSchema().properties!.preset!;
  assert.deepEqual(anyOf![0]!.enum, [null, ...Object.keys(presets)]);
  assert.deepEqual(anyOf![1]!.items!.enum, Object.keys(presets));
  assert.deepEqual(new Set(named('engine')), new Set(['auto', ...engineNames]));
});

test('bench.config.json repeats defaults and nothing else', () => {
  const file = new URL('../../bench.config.json', import.meta.url);
  const { $schema, ...settings } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  assert.equal($schema, './harness/config.schema.json');
  const defaults = defaultConfig() as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(settings)) assert.deepEqual(value, defaults[key], key);
});

test('every preset is a configuration that the schema accepts', () => {
  for (const [name, { settings, on, second }] of Object.entries(presets)) {
    for (const own of Object.values(on ?? {})) {
      fileOf('own.json', JSON.stringify({ ...own, search: { depth: 1000 } }));
      loadConfig({ cwd, file: 'own.json' });
    }
    // What it says of the second training counts for the only one.
    if (second === true) continue;
    const file = fileOf(`${name}.json`, JSON.stringify({ ...settings, preset: name }));
    assert.deepEqual(loadConfig({ cwd, file }).preset, [name]);
    assert.deepEqual(loadConfig({ cwd, flags: { preset: name } }), loadConfig({ cwd, file }), name);
  }
});

test('defaults < preset < file < flags < --set', () => {
  const file = fileOf('order.json', '{ "train": { "epochs": 3, "batchSize": 8 }, "seeds": [7] }');
  const config = loadConfig({ cwd, file, flags: { seeds: '1,2' }, set: ['train.batchSize=4'] });
  assert.deepEqual(config.preset, ['small'], 'a model with random weights has a preset of its own');
  assert.equal(config.train.learningRate, 5e-4, 'from the preset');
  assert.equal(config.train.epochs, 3, 'from the file');
  assert.deepEqual(config.seeds, [1, 2], 'from a flag');
  assert.equal(config.train.batchSize, 4, 'from --set');
  assert.equal(config.train.warmup, 0.05, 'from the defaults');
});

test('bench.config.json of the working folder is found; a real checkpoint has no preset', () => {
  fileOf('bench.config.json', '\uFEFF{ "$schema": "./x.json", "model": { "name": "some/model" } }');
  const config = loadConfig({ cwd: folder });
  rmSync(path.join(folder, 'bench.config.json'));
  assert.equal(config.model.name, 'some/model');
  const model = { ...expectedDefaults.model, name: 'some/model' };
  assert.deepEqual(config, { ...expectedDefaults, preset: [], model });
});

test('values of --set: JSON, comma lists where a list is taken, texts without quotes', () => {
  const load = (...set: string[]) => loadConfig({ cwd, set });
  assert.deepEqual(load('arch.layers=10,12').arch.layers, [10, 12]);
  assert.deepEqual(load('arch.layers=[10, 12]').arch.layers, [10, 12]);
  assert.deepEqual(load('arch.layers=12').arch.layers, [12]);
  assert.equal(load('arch.layers=uniform').arch.layers, 'uniform');
  assert.equal(load('arch.layers=null').arch.layers, null);
  assert.equal(load('arch.lambda=0.1').arch.lambda, 0.1);
  assert.deepEqual(load('arch.lambda=0.01,0.1,1').arch.lambda, [0.01, 0.1, 1]);
  assert.deepEqual(load('measures=mrr@10').measures, ['mrr@10']);
  assert.deepEqual(load('measures=mrr@10,map').measures, ['mrr@10', 'map']);
  // Nothing is the empty list where a list may be empty, and a mistake where it may not.
  assert.deepEqual(load('latency.batchSizes=').latency.batchSizes, []);
  assert.throws(() => load('seeds='), /seeds/);
  assert.equal(load('model.name=1234').model.name, '1234');
  // In quotes a text keeps its spaces, and null is no text where a key takes it.
  assert.equal(load('pretrained.queryPrompt="query: "').pretrained.queryPrompt, 'query: ');
  assert.equal(load('pretrained.queryPrompt=query: ').pretrained.queryPrompt, 'query:');
  assert.equal(load('pretrained.queryPrompt="open').pretrained.queryPrompt, '"open');
  assert.equal(load('endpoint.queryPrompt="query: "').endpoint.queryPrompt, 'query: ');
  assert.equal(load('endpoint.model=a', 'endpoint.model=null').endpoint.model, null);
  assert.equal(load('endpoint.queryPrompt=null').endpoint.queryPrompt, 'null');
  assert.equal(load('model.tied=false').model.tied, false);
  assert.equal(load('out=a=b').out, 'a=b');
  assert.equal(load('train.patience=2', 'train.patience=null').train.patience, null);
});

test('a chunk nobody asked for gives way to a small batch; one that was asked for does not', () => {
  const flags = { model: 'some/model' };
  assert.equal(loadConfig({ cwd, flags, set: ['train.batchSize=8'] }).train.chunkSize, null);
  assert.equal(loadConfig({ cwd, flags, set: ['train.batchSize=64'] }).train.chunkSize, 32);
  assert.throws(
    () => loadConfig({ cwd, flags, set: ['train.batchSize=8', 'train.chunkSize=17'] }),
    /17 texts are more than a batch has, which is 16 passages/,
  );
  // Texts count, not queries: eight with 15 negatives each are 128.
  const many = ['train.batchSize=8', 'train.negatives=15'];
  assert.equal(loadConfig({ cwd, flags, set: many }).train.chunkSize, 32);
  assert.equal(loadConfig({ cwd, flags, set: [...many, 'train.chunkSize=128'] }).train.chunkSize, 128);
});

test('where the paper’s code and the right thing differ, there is a switch: its default and the paper’s', () => {
  const usual = loadConfig({ cwd, flags: { model: 'some/model' } });
  const paper = loadConfig({ cwd, flags: { preset: 'paper' } });
  const switches: readonly [(config: BenchConfig) => unknown, unknown, unknown][] = [
    [({ train }) => train.averageRank, 'dpr', 'batch'],
    [({ train }) => train.resetBestAtSwitch, true, false],
    [({ train }) => train.averageRankHardNegatives, null, 30],
    [({ train }) => train.averageRankOtherNegatives, 0, 30],
    [({ train }) => train.averageRankTies, 'behind', 'listed'],
    [({ train }) => train.devNegatives, 'fixed', 'resampled'],
    [({ train }) => train.clipNorm, 2, 8],
    [({ train }) => train.missingNegative, 'left-out', 'padded'],
    [({ train }) => train.otherPositives, 'left-out', 'negatives'],
    [({ arch }) => arch.maskShort, true, false],
    [({ model }) => model.t5LayerNorm, 'last', 'last'],
    [({ text }) => text.pairTruncation, 'longest-first', 'joined'],
    [({ measure }) => measure.identicalIds, 'dropped', 'dropped'],
    [({ measures }) => measures.includes('recall@100'), true, true],
    [({ measures }) => measures.includes('hit-rate@100'), false, true],
  ];
  for (const [read, standard, papers] of switches) {
    assert.deepEqual([read(usual), read(paper)], [standard, papers], read.toString());
  }
});

test('the paper as its code ran it', () => {
  const { train, seeds, text, model } = loadConfig({ cwd, flags: { preset: 'paper' } });
  assert.deepEqual(seeds, [12345]);
  assert.deepEqual(
    [train.batchSize, train.epochs, train.averageRankFrom, train.learningRate],
    // Its val_av_rank_start_epoch is 30, and the first epoch above that, counted from 0, is judged by average rank.
    [128, 40, 31, null],
  );
  assert.deepEqual([train.warmup, train.dropout, text.passageTokens, train.negatives], [0.05, 0.1, 256, 1]);
  assert.deepEqual([model.name, model.tied], ['google-bert/bert-base-uncased', false]);
});
