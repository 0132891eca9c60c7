/** The graph of a request: its keys are known before anything runs, and every setting that decides something is in one of them. */
import assert from 'node:assert/strict';
import { cp } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type BenchConfig, defaultConfig } from '../harness/config/config.js';
import { inNoStage, isOfMachine, makesOtherSystem } from '../harness/config/deciding.js';
import { keyPaths } from '../harness/config/schema.js';
import { prepare, storeOf } from '../harness/pipeline/prepare.js';
import type { RunRequest } from '../harness/pipeline/run-request.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { silentProgress } from '../harness/progress.js';
import {
  type Choice,
  inOrder,
  inputKey,
  inputsOf,
  knownAs,
  type Need,
  type Stage,
} from '../harness/stages/graph.js';
import { knownOf, namesOf } from '../harness/stages/known.js';
import { Workbench } from '../harness/stages/workbench.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { openEngine } from '../harness/tensor/engines.js';
import { temporaryFolder } from './made-index.js';
import { inFixtures } from './places.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const quiet = silentProgress();

async function stagesOf(request: RunRequest, known = namesOf(request)) {
  const { stages } = await (await loadSystem(request.architecture)).steps();
  return (await stages(request, known)).all;
}

const requestOf = (architecture: string, config: BenchConfig): RunRequest => ({
  ...{ architecture, dataset: 'beir/nq', seed: 1, offline: true, config },
});

/** A copy with another value at a key. */
function changed(config: BenchConfig, key: string, to: (value: unknown) => unknown): BenchConfig {
  const copy = structuredClone(config);
  const names = key.split('.');
  const last = names.pop()!;
  const section = names.reduce<Record<string, unknown>>((at, name) => at[name] as typeof at, { ...copy });
  const target = names.length === 0 ? (copy as unknown as Record<string, unknown>) : section;
  target[last] = to(target[last]);
  return copy;
}

/** Where any other value would be refused. */
const others: Readonly<Record<string, unknown>> = {
  'fuse.weights': [1, 3],
  'vectors.similarity': 'dot',
  'endpoint.similarity': 'dot',
  'arch.layers': 'first',
  'index.nprobe': [7],
  'stage2.init': 'first',
  'stage2.averageRankFrom': 2,
  'index.efSearch': [7],
  'train.teacher.loss': 'margin-mse',
  'train.matryoshka': [3],
  'index.dimensions': [7],
  'index.rescore': [7],
};

function another(value: unknown): unknown {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return [...value, 7];
  if (value === null) return 1;
  return typeof value === 'object' ? { told: [1] } : `${value} or other`;
}

const untrained = [
  ...['bm25', 'pretrained:some/model', 'sparse:some/model', 'vectors:some/folder'],
  ...['endpoint:http://localhost', 'rerank:bm25>me-bert-sc', 'rerank:bm25>cross:some/model'],
];

/** So that every setting plays a part in one of them. */
async function graphsOf(change: (config: BenchConfig) => BenchConfig): Promise<string> {
  const once = defaultConfig();
  Object.assign(once.train, { averageRankFrom: 1, averageRank: 'dpr' });
  once.index.kind = 'IVF4,Flat';
  const twice: BenchConfig = { ...once, stages: 2 };
  const flat: BenchConfig = { ...once, index: { ...once.index, kind: 'Flat' } };
  const weighted: BenchConfig = { ...once, fuse: { ...once.fuse, method: 'weighted' } };
  const taught: BenchConfig = {
    ...once,
    train: { ...once.train, teacher: { ...once.train.teacher, scores: 'some/file', loss: 'kl' } },
  };
  const fitting: BenchConfig = { ...once, train: { ...once.train, chunkSize: 'fitting' } };
  const published: BenchConfig = { ...once, model: { ...once.model, name: 'some/model' } };
  const requests = [
    ...[once, twice, flat, taught, fitting, published].map((config) =>
      requestOf('me-bert-sc', change(config)),
    ),
    ...untrained.map((name) => requestOf(name, change(once))),
    // Ranks take no weights.
    requestOf('fuse:bm25+me-bert-sc', { ...change(once), fuse: { ...change(once).fuse, weights: null } }),
    requestOf('fuse:bm25+me-bert-sc', change(weighted)),
  ];
  const graphs = await Promise.all(requests.map(async (request) => inOrder(await stagesOf(request))));
  return graphs.map((stages) => stages.map(inputKey).join()).join('\n');
}

test('every setting is in the inputs of a stage, or named with the reason why it is in none', async () => {
  const usual = await graphsOf((config) => config);
  assert.equal(await graphsOf((config) => config), usual);
  const idle: string[] = [];
  const keys = keyPaths().filter((key) => key !== '$schema');
  assert.ok(keys.length > 80, String(keys.length));
  for (const key of keys)
    if (
      (await graphsOf((config) => changed(config, key, (value) => others[key] ?? another(value)))) === usual
    )
      idle.push(key);
  const isNamed = (key: string) =>
    inNoStage[key] !== undefined || inNoStage[key.split('.')[0]!] !== undefined;
  assert.deepEqual(
    idle.filter((key) => !isNamed(key)),
    [],
    'in the inputs of no stage, and not named in harness/config/deciding.ts',
  );
  // `stages` says which of the graphs it is.
  assert.deepEqual(
    keys.filter((key) => isNamed(key) && !idle.includes(key) && key !== 'stages'),
    [],
    'named as deciding nothing, and in the inputs of a stage',
  );
  assert.deepEqual(
    Object.keys(inNoStage).filter((key) => !keys.some((each) => each.startsWith(key))),
    [],
  );
});

test("what is a machine's own affair makes no other system, but for what computes", () => {
  const keys = keyPaths();
  const computes = keys.filter((key) => isOfMachine(key) && makesOtherSystem(key));
  assert.deepEqual(computes.sort(), ['device', 'engine', 'searcher']);
  // What is asked for, and plays no part in what is found.
  const asked = keys.filter((key) => !isOfMachine(key) && !makesOtherSystem(key));
  assert.deepEqual(asked.sort(), ['measures', 'preset', 'seeds']);
  const own = keys.filter((key) => isOfMachine(key) && inNoStage[key.split('.')[0]!] === undefined);
  for (const key of ['search.batchSize', 'encode.batchTokens']) assert.ok(own.includes(key), key);
});

test('the keys of a run are known before anything is made, and are those of its artifacts', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const request = tinyRequest(root, 'mlr', 1, 'stages=2', 'train.epochs=1', 'latency.queries=0');
  const prepared = await prepare(request, quiet);
  const engine = await openEngine(request.config.engine);
  const bench = new Workbench(prepared, quiet, new StageLog(storeOf(request, quiet)), engine);
  const real = await stagesOf(request, await knownOf(bench));
  const keys = inOrder(real).map((stage) => [stage.name, inputKey(stage)]);
  assert.equal(bench.log.store.used.length, 0);
  await engine.dispose();
  const { stages } = await run(request, quiet);
  const made = stages.filter(({ key }) => key !== null);
  assert.ok(made.length >= 6, made.map(({ name }) => name).join());
  const known = new Map(keys.map(([name, key]) => [key, name]));
  for (const { name, key } of made) assert.ok(known.has(key!), name);
  // Every artifact of the graph that is reached is known by a name that another request has for it, too.
  const others = await stagesOf({ ...request, config: { ...request.config, measures: ['mrr@5'] } });
  const names = knownAs(real, await stagesOf(request));
  const needed = new Set(inOrder(others).map(inputKey));
  for (const { name, key } of made) assert.ok(needed.has(names.get(key!)!), name);
  const seeded = new Set(inOrder(await stagesOf({ ...request, seed: 2 })).map(inputKey));
  const shared = made.filter(({ key }) => seeded.has(names.get(key!)!));
  assert.deepEqual(shared, [], 'a seed of its own trains its own model');
});

test('a key does not hold where a model lies', async (t) => {
  const root = await temporaryFolder(t);
  await writeTinyCollection(path.join(root, 'data'));
  const engine = await openEngine('onnx');
  const keysAt = async (folder: string) => {
    const name = path.join(root, folder, 'model');
    await cp(inFixtures('sentence/kinds/distilbert'), name, { recursive: true });
    const request = tinyRequest(root, 'dual-encoder', 1, `model.name=${name}`);
    const prepared = await prepare(request, quiet);
    const bench = new Workbench(prepared, quiet, new StageLog(storeOf(request, quiet)), engine);
    return inOrder(await stagesOf(request, await knownOf(bench))).map(inputKey);
  };
  assert.deepEqual(await keysAt('here'), await keysAt('there'));
  await engine.dispose();
});

test('BM25 knows no seed, and its negatives need the index that it searches', async () => {
  const keysOf = async (architecture: string, seed: number) =>
    new Map(
      inOrder(await stagesOf({ ...requestOf(architecture, defaultConfig()), seed })).map((stage) => [
        inputKey(stage),
        stage,
      ]),
    );
  const [first, second] = [await keysOf('bm25', 1), await keysOf('bm25', 2)];
  assert.deepEqual([...first.keys()], [...second.keys()]);
  const trained = await keysOf('mlr', 1);
  const index = [...first].find(([, { kind }]) => kind === 'indexes')![0];
  assert.ok(trained.has(index));
});

test('systems that are put together need the stages of their own, and make none of them twice', async () => {
  const of = async (architecture: string, change: Partial<BenchConfig> = {}) =>
    stagesOf(requestOf(architecture, { ...defaultConfig(), ...change }));
  const runOf = (stages: readonly Need[]) =>
    inputKey(inOrder(stages).find(({ name, kind }) => name === 'search' && kind === 'runs')!);
  const keysOf = (stages: readonly Need[]) => new Set(inOrder(stages).map(inputKey));
  const [terms, dense] = [await of('bm25'), await of('mlr')];
  const fused = keysOf(await of('fuse:bm25+mlr'));
  assert.ok(fused.has(runOf(terms)) && fused.has(runOf(dense)));
  const reranked = keysOf(await of('rerank:bm25>mlr'));
  assert.ok(reranked.has(runOf(terms)));
  assert.ok(!reranked.has(runOf(dense)), 'the second is not searched');
  for (const kind of ['shards', 'queries', 'checkpoints'])
    for (const stage of inOrder([inOrder(dense).find((each) => each.kind === kind)!]))
      assert.ok(fused.has(inputKey(stage)) && reranked.has(inputKey(stage)), stage.name);
  // Of each system as many hits as are asked for.
  const { fuse, search } = defaultConfig();
  const deeper = keysOf(await of('fuse:bm25+mlr', { fuse: { ...fuse, depth: 300 } }));
  assert.ok(!deeper.has(runOf(terms)));
  assert.ok(deeper.has(runOf(await of('bm25', { search: { ...search, depth: 300 } }))));
});

const stage = (name: string, needs: Stage['needs'] = {}, own: object = {}): Stage => ({
  ...{ name, kind: 'runs', version: `${name} 1`, needs, about: {} },
  inputs: () => ({ name, ...own }),
  make: () => Promise.reject(new Error('made')),
});

test('what hangs on a choice has the key of what was chosen, once it is', () => {
  const [a, b] = [stage('a'), stage('b')];
  const choice: Choice = { among: [a, b] };
  const behind = stage('behind', { choice });
  const open = inputKey(behind);
  choice.chosen = b;
  assert.notEqual(inputKey(behind), open);
  assert.equal(inputKey(behind), inputKey(stage('behind', { choice: b })));
  assert.deepEqual(
    inOrder([behind]).map(({ name }) => name),
    ['a', 'b', 'behind'],
  );
});

test('two inputs of one name are a bug, and are named; a folder that is handed in has its own key', () => {
  assert.throws(
    () => inputsOf(stage('twice', { name: stage('a') })),
    /twice 1 has two inputs of the name name/,
  );
  const given = { folder: '/somewhere', key: 'content' };
  assert.equal(inputsOf(stage('of', { given })).given, 'content');
  const changed = stage('of', { given: { ...given, folder: '/elsewhere' } });
  assert.equal(inputKey(changed), inputKey(stage('of', { given })));
});
