import assert from 'node:assert/strict';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { createProgress } from '../harness/progress.js';
import { stream } from '../harness/random.js';
import type { BuiltFacts } from '../harness/search/searcher.js';
import { assertKind, buildIndex, environmentOf } from '../harness/searchers/faiss/build.js';
import { FactorySearcher } from '../harness/searchers/faiss/built.js';
import { faissVersion, loadFaiss } from '../harness/searchers/faiss/flat.js';
import { findSearchParameter } from '../harness/searchers/faiss/parameter-file.js';
import { trainingCount } from '../harness/searchers/faiss/training-count.js';
import type { Engine } from '../harness/tensor/engine.js';
import { listOf, makeIndex, normalRows, rankRows, temporaryFolder } from './made-index.js';
import { turnsOf } from './turns.js';

const skip = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);
const ample = 1 << 28;
const quiet = createProgress({ output: { write: () => true } });
const rows = normalRows(600, 16, 'factory');
const queries = normalRows(20, 16, 'asked');

function build(
  folder: string,
  kind: string,
  { vectors = 600, file = 'index.faiss', trainingVectors = 500 } = {},
): Promise<BuiltFacts> {
  const target = path.join(folder, file);
  return buildIndex({ folder, kind, target, trainingVectors, seed: 1, vectors, progress: quiet });
}

/** Share of the true top 10 that is found. */
async function recall(folder: string, kind: string, facts: BuiltFacts, value?: number): Promise<number> {
  const index = await makeIndexOnce(folder);
  const parameter = value === undefined ? {} : { parameter: { name: facts.parameter!.name, value } as const };
  const built = { file: path.join(folder, 'index.faiss'), kind, sizeBytes: facts.sizeBytes, ...parameter };
  const searcher = await FactorySearcher.open(index, built, ample);
  const hits = await searcher.search(queries.values, 20, 10);
  const hasTurned = turnsOf();
  await searcher.dispose();
  assert.ok(hasTurned(), 'what it held is collected');
  await assert.rejects(searcher.search(queries.values, 1, 1), TypeError);
  let found = 0;
  for (let q = 0; q < 20; q++) {
    const query = queries.values.subarray(q * 16, (q + 1) * 16);
    const expected = rankRows(rows, query).slice(0, 10);
    const got = listOf(hits.rows, hits.depth, hits.counts, q);
    assert.equal(new Set(got).size, got.length);
    found += expected.filter(({ row }) => got.includes(row)).length;
  }
  return found / 200;
}

const opened = new Map<string, ReturnType<typeof makeIndex>>();
function makeIndexOnce(folder: string) {
  const made = opened.get(folder) ?? makeIndex(folder, rows, 1, 3);
  opened.set(folder, made);
  return made;
}

/** Kind, its parameter as FAISS leaves it, and the least recall@10 at the largest value tried. */
const kinds: [string, { name: string; value: number; largest?: number } | null, number][] = [
  ['HNSW32', { name: 'efSearch', value: 16 }, 0.9],
  ['IVF8,Flat', { name: 'nprobe', value: 1, largest: 8 }, 1],
  ['IVF8,SQ8', { name: 'nprobe', value: 1, largest: 8 }, 0.9],
  ['IVF8,PQ4x4np', { name: 'nprobe', value: 1, largest: 8 }, 0.3],
  ['SQ8', null, 0.9],
  ['PCA8,IVF8,Flat', { name: 'nprobe', value: 1, largest: 8 }, 0.15],
  ['OPQ4,IVF8,PQ4x4np', { name: 'nprobe', value: 1, largest: 8 }, 0.3],
  ['IVF8,PQ4x4np,RFlat', { name: 'nprobe', value: 1, largest: 8 }, 0.3],
];

for (const [kind, parameter, least] of kinds) {
  test(`${kind} is trained, built from shards, written whole, and finds rows by their number`, {
    skip,
  }, async (t) => {
    const folder = await temporaryFolder(t);
    await makeIndexOnce(folder);
    const facts = await build(folder, kind);
    assert.deepEqual(facts.parameter, parameter);
    assert.equal(facts.trainedOn, kind === 'HNSW32' ? 0 : 500);
    const most = parameter === null ? undefined : (parameter.largest ?? 256);
    const atMost = await recall(folder, kind, facts, most);
    assert.ok(atMost >= least, `recall ${atMost}`);
    if (parameter !== null) {
      const usual = await recall(folder, kind, facts);
      assert.ok(usual < atMost || usual === 1, `recall ${usual} at FAISS's own value, ${atMost} at ${most}`);
    }
    assert.ok(!readdirSync(folder).some((name) => name.includes('.partial-')));
  });
}

test('more numbers than train takes are refused, with how many vectors it takes', () => {
  assert.equal(trainingCount(65_536, 600, 16), 600);
  assert.equal(trainingCount(65_536, 10_000_000, 1024), 65_536);
  assert.throws(() => trainingCount(1_000_000, 2_000_000, 768), {
    code: 'CONFIG_INVALID',
    message: /1000000 vectors of 768 dimensions takes 768000000 numbers; faiss-node's train\(number\[\]\)/,
    hint: 'Set index.trainingVectors to 130208 or fewer.',
  });
});

test('what trains it is drawn by the seed, comes in the order of the index, and is told with the rows that are added', {
  skip,
}, async (t) => {
  const folder = await temporaryFolder(t);
  await makeIndexOnce(folder);
  const told: unknown[] = [];
  const stage = () => ({ update: (...update: unknown[]) => told.push(update), end: () => undefined });
  const target = path.join(folder, 'trained');
  await buildIndex({
    ...{ folder, kind: 'SQ8', target, trainingVectors: 5, seed: 1, vectors: 600 },
    progress: { ...quiet, stage } as unknown as typeof quiet,
  });
  assert.deepEqual(told, [[0, 'training on 5'], [600]]);
  const { Index } = await loadFaiss();
  // Of so few rows each is the least or the largest somewhere.
  const trainedOn = (drawn: ReadonlySet<number>) => {
    const made = Index.fromFactory(16, 'SQ8', 0);
    made.train(Array.from(rows.values).filter((_, i) => drawn.has(Math.floor(i / 16))));
    made.add(Array.from(rows.values));
    const file = path.join(folder, `trained-on-${drawn.size}`);
    made.write(file);
    return readFileSync(file);
  };
  const all = Array.from({ length: 600 }, (_, row) => row);
  const drawn = stream(1, 'index', 'training')
    .shuffle([...all])
    .slice(0, 5);
  assert.deepEqual(readFileSync(target), trainedOn(new Set(drawn)));
  assert.notDeepEqual(readFileSync(target), trainedOn(new Set(all)));
});

test('as many threads as are asked for build it, which sleep where they wait unless a user has them spin', () => {
  const before = process.env.OMP_WAIT_POLICY;
  delete process.env.OMP_WAIT_POLICY;
  assert.equal(environmentOf(undefined).OMP_WAIT_POLICY, 'PASSIVE');
  process.env.OMP_WAIT_POLICY = 'ACTIVE';
  assert.deepEqual(environmentOf(undefined), { ...process.env });
  assert.deepEqual(environmentOf(3), {
    ...process.env,
    OMP_NUM_THREADS: '3',
    OPENBLAS_NUM_THREADS: '3',
  });
  if (before === undefined) delete process.env.OMP_WAIT_POLICY;
  else process.env.OMP_WAIT_POLICY = before;
});

test('the same shards make the same bytes, graphs too', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  await makeIndexOnce(folder);
  for (const kind of ['HNSW16', 'IVF8,PQ4x4np']) {
    await build(folder, kind, { file: 'a' });
    await build(folder, kind, { file: 'b' });
    assert.deepEqual(readFileSync(path.join(folder, 'a')), readFileSync(path.join(folder, 'b')), kind);
  }
});

test('what FAISS cannot build is refused with its reason, in the process that asked', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  await makeIndexOnce(folder);
  const cases: [string, RegExp][] = [
    ['HSNW32', /could not parse index string HSNW32/],
    ['IVF8,PQ5x4', /'IVF8,PQ5x4': .*(M|dimension|d %)/],
    // Fewer vectors than lists: FAISS throws where faiss-node does not catch.
    ['IVF1024,Flat', /Number of training points .* as large as number of clusters/],
    ['IDMap,Flat', /add_with_ids/],
  ];
  for (const [kind, message] of cases) {
    await assert.rejects(build(folder, kind), { code: 'CONFIG_INVALID', message });
  }
  await assert.rejects(assertKind('IVF8,Falt'), { code: 'CONFIG_INVALID', message: /could not parse/ });
  await assertKind('IVF8,PQ4x4np');
  assert.ok(!readdirSync(folder).some((name) => name.includes('faiss.partial-')));
});

test('a parameter that cannot be set says which call is missing', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const index = await makeIndexOnce(folder);
  const { sizeBytes } = await build(folder, 'SQ8');
  const file = path.join(folder, 'index.faiss');
  const open = (kind: string, name: 'nprobe' | 'efSearch', value: number) =>
    FactorySearcher.open(index, { file, kind, sizeBytes, parameter: { name, value } }, ample);
  await assert.rejects(open('SQ8', 'nprobe', 4), {
    code: 'CONFIG_INVALID',
    hint: /ParameterSpace::set_index_parameter\(index, "nprobe", value\)/,
  });
  await build(folder, 'IVF8,Flat');
  await assert.rejects(open('IVF8,Flat', 'efSearch', 4), { message: /whose search parameter is nprobe/ });
  await assert.rejects(open('IVF8,Flat', 'nprobe', 9), { message: /9 is more than the 8 lists/ });
});

test('a file that is not as FAISS writes it is never written to', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  await makeIndexOnce(folder);
  await build(folder, 'HNSW16');
  const file = path.join(folder, 'index.faiss');
  const whole = readFileSync(file);
  const { offset } = (await findSearchParameter(file))!;
  for (const [at, value] of [
    [offset + 4, 7],
    [offset + 8, 0],
    [16, 3],
    [37, 0xff],
  ] as const) {
    const changed = Buffer.from(whole);
    changed[at] = value;
    writeFileSync(file, changed);
    await assert.rejects(findSearchParameter(file), { code: 'CACHE_INVALID' });
  }
  writeFileSync(file, whole);
  truncateSync(file, offset + 2);
  await assert.rejects(findSearchParameter(file), { code: 'CACHE_INVALID', message: /ends before byte/ });
});

test('several vectors a passage: passages are found, each once, where a search finds few rows', {
  skip,
}, async (t) => {
  const folder = await temporaryFolder(t);
  const index = await makeIndex(folder, rows, 3, 2);
  const { sizeBytes } = await build(folder, 'IVF8,Flat');
  const built = { searcher: 'faiss', file: path.join(folder, 'index.faiss'), kind: 'IVF8,Flat', sizeBytes };
  const engine = {} as Engine;
  const options = { engine, memoryBytes: ample };
  const of = async (nprobe: number) => {
    const parameter = { name: 'nprobe', value: nprobe } as const;
    const searcher = await openSearcher('auto', index, { ...options, built: { ...built, parameter } });
    const hits = await searcher.search(queries.values, 20, 150);
    await searcher.dispose();
    return hits;
  };
  const exact = await openSearcher('faiss', index, options);
  const expected = await exact.search(queries.values, 20, 150);
  await exact.dispose();
  assert.deepEqual((await of(8)).ordinals, expected.ordinals);
  const few = await of(1);
  assert.ok(few.counts.every((count) => count > 0 && count < 150));
  for (let q = 0; q < 20; q++) {
    const passages = listOf(few.ordinals, few.depth, few.counts, q);
    assert.equal(new Set(passages).size, passages.length);
  }
  // It is searched on the processor, wherever the run computes: FAISS for a GPU has no part in it, nor in its key.
  const onCuda = { engine: { device: 'cuda', versions: {} } as Engine, memoryBytes: ample };
  const searcher = await openSearcher('faiss', index, { ...onCuda, built });
  assert.deepEqual(searcher.versions, { 'faiss-node': faissVersion() });
  await searcher.dispose();
  await assert.rejects(openSearcher('exact', index, { ...options, built }), {
    code: 'CONFIG_INVALID',
    hint: /--searcher faiss/,
  });
});
