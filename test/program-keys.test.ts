/** Which keys of the cache move where a source changes, file by file. Runs after real edits: program-edits.test.ts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { measureFamilies } from '../harness/plugins/measures.js';
import { loadSearcher, searcherNames } from '../harness/plugins/searchers.js';
import { architectureNames, datasetFiles, loadArchitecture } from '../harness/plugins.js';
import { codeOf, graphOfThisBuild, type ModuleGraph, modulesOf } from '../harness/program/code.js';
import { entriesOf, type StageOf, stages } from '../harness/stages/code.js';
import { root } from './places.js';

const graph = graphOfThisBuild();
const engine = { name: 'onnx' } as const;
const measures = measureFamilies.map(({ name }) => name);

const builders: string[] = [];
for (const name of searcherNames()) if ((await loadSearcher(name)).builder !== undefined) builders.push(name);

/** Every stage of every system there is, by a name that says what it is of. */
async function everyStage(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  const add = (name: string, stage: StageOf, workedWith: Parameters<typeof entriesOf>[1]) =>
    found.set(name, entriesOf(stage, workedWith));
  for (const name of datasetFiles()) {
    const dataset = { name };
    for (const stage of ['dataset', 'model', 'mine'] as const)
      add(`${stage} ${name}`, stage, { dataset, ...(stage === 'model' && { encoder: 'bert' }) });
    add(`measure ${name}`, 'measure', { dataset, measures });
    for (const stage of ['bm25 index', 'bm25 search', 'bm25 negatives'] as const)
      add(`${stage} ${name}`, stage, { dataset });
  }
  // Of the stages of a trained system, all of one dataset; another dataset plays the same part in them.
  const dataset = { name: 'squad' };
  for (const name of await architectureNames()) {
    const worked = { architecture: await loadArchitecture(name), encoder: 'bert', engine };
    for (const stage of ['train', 'encode', 'queries'] as const)
      add(`${stage} ${name}`, stage, { dataset, ...worked });
  }
  // These have the keys of the shards and of the query vectors in their own.
  for (const by of searcherNames()) add(`search squad ${by}`, 'search', { dataset, engine, searcher: by });
  add('dev winners squad', 'dev winners', { dataset });
  for (const searcher of builders) add(`index ${searcher}`, 'index', { searcher });
  // It has the keys of the searches in its own.
  add('recall hits', 'recall', {});
  return found;
}

const systems = await everyStage();
const names = await architectureNames();
const families = new Map<string, string>();
for (const name of names) families.set(name, (await loadArchitecture(name)).familyName);
const before = codes(graph);

function codes(of: ModuleGraph): Map<string, string> {
  return new Map([...systems].map(([name, entries]) => [name, codeOf(entries, of).modules]));
}

/** The stages that move where a source changes. */
function movedBy(...sources: string[]): string[] {
  const changed: ModuleGraph = Object.fromEntries(
    Object.entries(graph).map(([name, module]) => [
      name,
      sources.includes(name.replace(/\.js$/, '.ts').replace(/\.wasm$/, '.wat'))
        ? { ...module, hash: 'changed' }
        : module,
    ]),
  );
  const after = codes(changed);
  return [...before.keys()].filter((name) => before.get(name) !== after.get(name)).sort();
}

/** Names of stages that are chosen. */
const those = (choose: (stage: string, of: string, by: string | undefined) => boolean): string[] =>
  [...systems.keys()]
    .filter((name) => {
      const stage = [...stages].sort((a, b) => b.length - a.length).find((each) => name.startsWith(each))!;
      const [of = '', by] = name.slice(stage.length).trim().split(' ');
      return choose(stage, of, by);
    })
    .sort();

/** Stages of an architecture. */
const trained: readonly string[] = ['train', 'encode', 'queries'];

function sourcesIn(folder: string, below = false): string[] {
  return readdirSync(path.join(root, folder), { recursive: below, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|wat)$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort();
}

test('an architecture moves what is trained, encoded and searched with it, and nothing of another', () => {
  for (const source of sourcesIn('architectures')) {
    const family = path.basename(source, '.ts');
    const own = names.filter((name) => families.get(name) === family);
    const expected = those((stage, of) => trained.includes(stage) && own.includes(of));
    assert.ok(expected.length > 0, source);
    assert.deepEqual(movedBy(source), expected, source);
  }
});

test('a pooling moves the single-vector forms that have it', async () => {
  for (const source of sourcesIn('architectures/pooling')) {
    const pooling = path.basename(source, '.ts');
    const having: string[] = [];
    for (const name of names) if ((await loadArchitecture(name)).poolingName === pooling) having.push(name);
    assert.ok(having.length > 0, source);
    assert.deepEqual(
      movedBy(source),
      those((stage, of) => trained.includes(stage) && having.includes(of)),
      source,
    );
  }
});

test('a system puts stages together, and what decides one of them stands in its key by itself', () => {
  for (const source of sourcesIn('harness/systems')) assert.deepEqual(movedBy(source), [], source);
});

/** Datasets that share the files of a folder. */
const sharing: Readonly<Record<string, readonly string[]>> = {
  'datasets/collection/files.ts': ['beir', 'dpr', 'hub', 'ms-marco', 'trec'],
  'datasets/collection/judged.ts': ['beir', 'hub', 'ms-marco', 'trec'],
  'datasets/collection/numbered-lists.ts': ['ms-marco'],
  'datasets/collection/placed.ts': ['beir', 'dpr', 'ms-marco'],
  'datasets/collection/query-list.ts': ['beir', 'hub', 'ms-marco', 'trec'],
  'datasets/collection/reported-split.ts': ['beir', 'hub'],
  'datasets/collection/tab-lines.ts': ['ms-marco', 'trec'],
};

test('a dataset moves all that is made from it, and nothing of another', () => {
  for (const source of sourcesIn('datasets', true)) {
    const [, own = ''] = /^datasets\/([^/]+?)(?:\.ts|\/.*)$/.exec(source)!;
    const datasets = own === 'collection' ? sharing[source] : [own];
    assert.ok(datasets !== undefined, `${source} is in no line of the table above`);
    const expected = those((stage, of) =>
      trained.includes(stage) ? datasets.includes('squad') : datasets.includes(of),
    );
    assert.ok(expected.length > 0, source);
    assert.deepEqual(movedBy(source), expected, source);
  }
});

test('a searcher moves what it builds and searches, and nothing of another', () => {
  for (const source of sourcesIn('harness/searchers', true)) {
    const own = /^harness\/searchers\/([^/.]+)/.exec(source)![1];
    const expected = those((stage, of, by) => (stage === 'search' ? by : of) === own);
    assert.ok(expected.length > 0, source);
    assert.deepEqual(movedBy(source), expected, source);
  }
});

test('a measure moves no key: measuring is done anew each time, and the record names its code', () => {
  for (const source of sourcesIn('harness/metrics', true)) {
    // They only read the names, and give the record its form.
    const expected = /\/measure(s|-values)\.ts$/.test(source) ? [] : those((stage) => stage === 'measure');
    assert.deepEqual(movedBy(source), expected, source);
  }
});

const is =
  (...wanted: string[]) =>
  (stage: string) =>
    wanted.includes(stage);

test('what trains, reads texts, encodes and searches moves what depends on it', () => {
  const texts = is('model', ...trained);
  const computing = is(...trained, 'search');
  const answering = is('mine', 'bm25 negatives', 'measure', 'dev winners');
  const terms = is('bm25 index', 'bm25 search', 'bm25 negatives');
  const cases: [string, string[]][] = [
    ['harness/train/loss.ts', those(is('train'))],
    ['harness/train/trainer.ts', those(is('train'))],
    ['harness/train/schedule.ts', those(is('train'))],
    ['harness/train/example-plans.ts', those(is('train'))],
    ['harness/train/example-sets.ts', those(is('train'))],
    ['harness/tensor/look-up.ts', those(texts)],
    ['harness/tensor/onnx/product-order.ts', those(computing)],
    ['harness/tensor/onnx/known-operators.ts', those(computing)],
    ['harness/train/adamw.wat', those(is('train'))],
    ['harness/encoders/bert.ts', those(texts)],
    ['harness/encoders/t5.ts', []],
    ['harness/model/post-norm.ts', those(texts)],
    ['harness/model/fields.ts', those(texts)],
    ['harness/tensor/onnx/recorder.ts', those(computing)],
    ['harness/tensor/eager.ts', []],
    ['harness/text/bert-tokenizer.ts', those(texts)],
    ['harness/text/pieces.ts', those(is('model'))],
    ['harness/text/tokenizer-folder.ts', those(is(...trained))],
    ['harness/text/english-analyzer.ts', those(terms)],
    // The sample is made so that passages hold its answers.
    ['harness/text/answers.ts', those((stage, of) => answering(stage) || of === 'sample')],
    ['harness/encode/encode.ts', those(is('encode'))],
    ['harness/model/vector-encoder.ts', those(is(...trained))],
    ['harness/search/copied-positives.ts', those(is('mine', 'bm25 negatives'))],
    ['harness/search/passages.ts', those(is('search'))],
    ['harness/search/bm25.ts', those(is('bm25 search', 'bm25 negatives'))],
    // The negatives need the index, whose key is a part of theirs.
    ['harness/index/bm25-writer.ts', those(is('bm25 index'))],
    // What is mined is held against the scores of its query.
    ['harness/index/query-vectors.ts', those(is('search', 'dev winners', 'mine'))],
    ...['train', 'encode', 'queries', 'mine', 'recall', 'search', 'dev winners'].map(
      (name): [string, string[]] => [`harness/stages/${name.replace(' ', '-')}.ts`, those(is(name))],
    ),
    ['harness/pipeline/own-passages.ts', those(is('search', 'bm25 search'))],
    // Recall is a mean over queries, as measures are.
    ['harness/statistics/summary.ts', those(is('recall', 'measure'))],
  ];
  for (const [source, expected] of cases) assert.deepEqual(movedBy(source), expected, source);
});

test('reports, help, progress, the record and the commands move nothing', () => {
  const rooms = ['cli', 'comparison', 'config', 'contracts', 'export', 'latency', 'perf', 'program'];
  rooms.push('record', 'regression', 'reproduction', 'store', 'sweep');
  const files = sourcesIn('harness').concat(
    sourcesIn('reports', true),
    ...rooms.map((room) => sourcesIn(`harness/${room}`, true)),
    // Of statistics the mean alone is a part of a result in the cache, see above.
    sourcesIn('harness/statistics', true).filter((file) => !file.endsWith('/summary.ts')),
    // Which stages there are, in which order, and where they are made.
    ['graph', 'given', 'known', 'systems', 'training', 'workbench'].map(
      (file) => `harness/stages/${file}.ts`,
    ),
    // Of the pipeline, what says beforehand what is asked and what is there.
    ['needs', 'plan', 'requirements', 'record-stage'].map((file) => `harness/pipeline/${file}.ts`),
  );
  // The rooms of random numbers and of reading JSON are one file each.
  const speaking = ['harness/random.ts', 'harness/json.ts'];
  const silent = files.filter((file) => !speaking.includes(file));
  assert.ok(silent.includes('harness/progress.ts') && silent.includes('harness/cli/run.ts'));
  assert.deepEqual(movedBy(...silent), []);
  for (const file of speaking) assert.notDeepEqual(movedBy(file), []);
});

test('the libraries that compute are in the code, by version', () => {
  const librariesOf = (name: string) => Object.keys(codeOf(systems.get(name)!).libraries);
  const training = librariesOf('train mlr-sc');
  for (const name of ['onnxruntime-node', '@huggingface/tokenizers', '@tensorflow/tfjs-core', 'unicode'])
    assert.ok(training.includes(name), `${name} is not among ${training.join(', ')}`);
  assert.deepEqual(librariesOf('bm25 index squad'), ['porter2', 'stemmer', 'unicode']);
  assert.deepEqual(
    [...systems.keys()].filter((name) => librariesOf(name).includes('mathjs')).sort(),
    those((stage) => stage === 'recall' || stage === 'measure'),
  );
  const manifest = readFileSync(path.join(root, 'node_modules/onnxruntime-node/package.json'), 'utf8');
  const { version } = JSON.parse(manifest) as { version: string };
  assert.equal(codeOf(systems.get('train mlr-sc')!).libraries['onnxruntime-node'], version);
});

test('a module that was not built is a bug, and is named', () => {
  assert.throws(() => modulesOf(graph, ['harness/nowhere.js']), /no module harness\/nowhere\.js/);
});

test('what a user calls a collection is no other code', () => {
  const of = (name: string) => entriesOf('dataset', { dataset: { name } });
  assert.deepEqual(of('beir:mine'), of('beir'));
  assert.deepEqual(of('beir/nq:mine'), of('beir'));
});
