/** Hybrids and reranking as rows of a table: what their components left is used, and costs are added up. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { deviceDifferences } from '../harness/comparison/devices.js';
import type { BenchError } from '../harness/errors.js';
import { trainOnly } from '../harness/pipeline/one-stage.js';
import { planRun } from '../harness/pipeline/plan.js';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { silentProgress } from '../harness/progress.js';
import { assertRecord } from '../harness/record/validate.js';
import type { RunRecord } from '../harness/record.js';
import { run, sweep } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { hitsIn } from './run-files.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-fused-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const rows = new Map<string, RunRecord>();
async function row(architecture: string, ...set: string[]): Promise<RunRecord> {
  const key = [architecture, ...set].join(' ');
  const known = rows.get(key) ?? (await run(tinyRequest(root, architecture, 1, ...set), silentProgress()));
  rows.set(key, known);
  return known;
}

const hitsOf = (record: RunRecord) => hitsIn(path.join(root, 'out'), record);

const stagesOf = ({ stages }: RunRecord) => stages.map(({ name }) => name);
const made = ({ stages }: RunRecord) =>
  stages.filter(({ key, execution }) => key !== null && !execution.cached).map(({ name }) => name);

test('a hybrid makes nothing that the rows of its components have, and its record adds up what they cost', async () => {
  const [bm25, dense] = [await row('bm25'), await row('mlr-sc')];
  const fused = await row('fuse:bm25+mlr-sc');
  assertRecord(JSON.parse(JSON.stringify(fused)), 'fused');
  assert.deepEqual(stagesOf(fused), [
    ...['prepare', 'bm25: index', 'bm25: search', 'mlr-sc: train', 'mlr-sc: encode'],
    ...['mlr-sc: queries', 'mlr-sc: search', 'fuse', 'measure', 'latency'],
  ]);
  assert.deepEqual(made(fused), ['fuse']);
  assert.equal(fused.arch.name, 'fuse:bm25+mlr-sc');
  assert.equal(fused.arch.family, 'fuse');
  assert.deepEqual(
    fused.components!.map(({ arch, index }) => [arch, index]),
    [bm25, dense].map(({ arch, index }) => [arch, index]),
  );
  assert.deepEqual(fused.components![1]!.training!.examples, dense.training!.examples);
  assert.deepEqual(fused.components![1]!.model, dense.model);
  const { sizeBytes, projectedBytes, kind, rows: vectors } = fused.index!;
  assert.equal(kind, 'BM25+Flat');
  assert.equal(sizeBytes.total, bm25.index!.sizeBytes.total + dense.index!.sizeBytes.total);
  assert.equal(sizeBytes.postings, bm25.index!.sizeBytes.postings);
  assert.equal(sizeBytes.vectors, dense.index!.sizeBytes.vectors);
  assert.equal(projectedBytes, bm25.index!.projectedBytes + dense.index!.projectedBytes);
  assert.equal(vectors, dense.index!.rows);
  assert.deepEqual((fused.config as { bm25: object }).bm25, (bm25.config as { bm25: object }).bm25);
  const { latency } = fused;
  for (const part of ['tokenize', 'encode', 'search', 'total'] as const)
    assert.equal(latency![part]!.samplesMs.length, 4, part);
  assert.match(fused.warnings.join('\n'), /reciprocal rank fusion, constant 60, of the first 10 hits/);
  // Latencies of one machine may stand in one order, wherever each system searches.
  assert.deepEqual(deviceDifferences(fused, dense), []);
  assert.deepEqual(deviceDifferences(fused, bm25), []);
});

test('the hits of a hybrid are those of its components fused, by ranks and by scores', async () => {
  const lists = [await hitsOf(await row('bm25')), await hitsOf(await row('mlr-sc'))];
  const fused = await hitsOf(await row('fuse:bm25+mlr-sc'));
  const weights = ['fuse.method=weighted', 'fuse.weights=[3,1]', 'fuse.depth=5'];
  const weighted = await row('fuse:bm25+mlr-sc', ...weights);
  assert.match(
    weighted.warnings.join('\n'),
    /sums of scores, normalization min-max, weights 3 and 1, of the first 5/,
  );
  const sums = await hitsOf(weighted);
  for (const [queryId, hits] of fused) {
    const byRank = new Map<string, number>();
    const byScore = new Map<string, number>();
    for (const [s, list] of lists.entries()) {
      for (const [i, [id]] of list.get(queryId)!.entries())
        byRank.set(id, (byRank.get(id) ?? 0) + 1 / (61 + i));
      const few = list.get(queryId)!.slice(0, 5);
      const [most, least] = [few[0]![1], few.at(-1)![1]];
      for (const [id, score] of few)
        byScore.set(id, (byScore.get(id) ?? 0) + (s === 0 ? 3 : 1) * ((score - least) / (most - least)));
    }
    assert.equal(hits.length, 10);
    for (const [id, score] of hits) assert.ok(Math.abs(score - byRank.get(id)!) < 1e-6, `${id} ${score}`);
    assert.ok(
      Math.min(...hits.map(([, score]) => score)) >= [...byRank.values()].sort((a, b) => b - a)[9]! - 1e-6,
    );
    for (const [id, score] of sums.get(queryId)!)
      assert.ok(Math.abs(score - byScore.get(id)!) < 1e-4, `${id} ${score} ${byScore.get(id)}`);
  }
});

test('reranking scores the hits of the first system as the second scores them, and searches nothing with it', async () => {
  const wide = ['search.depth=30', 'bm25.k1=0.9'];
  const dense = await hitsOf(await row('mlr-sc', ...wide));
  const first = await hitsOf(await row('bm25', ...wide));
  const record = await row('rerank:bm25>mlr-sc', ...wide);
  assertRecord(JSON.parse(JSON.stringify(record)), 'reranked');
  assert.deepEqual(stagesOf(record).slice(1, -2), [
    ...['bm25: index', 'bm25: search', 'mlr-sc: train', 'mlr-sc: encode', 'mlr-sc: queries', 'rerank'],
  ]);
  assert.deepEqual(made(record), ['rerank']);
  assert.deepEqual(
    record.components!.map(({ index }) => index!.kind),
    ['BM25', 'Flat'],
  );
  assert.ok(record.latency!.encode!.meanMs > 0);
  for (const [queryId, hits] of await hitsOf(record)) {
    const scores = new Map(dense.get(queryId)!);
    assert.deepEqual(new Set(hits.map(([id]) => id)), new Set(first.get(queryId)!.map(([id]) => id)));
    for (const [i, [id, score]] of hits.entries()) {
      assert.ok(Math.abs(score - scores.get(id)!) < 1e-4, `${id}: ${score}, ${scores.get(id)}`);
      assert.ok(i === 0 || score <= hits[i - 1]![1]);
    }
  }
  const few = await row('rerank:bm25>mlr-sc', ...wide, 'rerank.depth=3');
  assert.match(few.warnings.join('\n'), /the first 3 hits of bm25 .*behind them are in the order of bm25/);
  for (const [queryId, hits] of await hitsOf(few)) {
    const ids = (list: readonly [string, number][]) => list.map(([id]) => id);
    assert.deepEqual(ids(hits).slice(3), ids(first.get(queryId)!).slice(3));
    assert.deepEqual(new Set(ids(hits).slice(0, 3)), new Set(ids(first.get(queryId)!).slice(0, 3)));
    assert.deepEqual(
      [...hits].sort((a, b) => b[1] - a[1]),
      hits,
    );
  }
});

test('more candidates than hits: the best of them are kept', async () => {
  const record = await row('rerank:bm25>mlr-sc', 'rerank.depth=20');
  assert.equal(record.run!.depth, 10);
  const candidates = await hitsOf(await row('bm25', 'search.depth=20'));
  const dense = await hitsOf(await row('mlr-sc', 'search.depth=30'));
  for (const [queryId, hits] of await hitsOf(record)) {
    const scores = new Map(dense.get(queryId)!);
    const best = candidates
      .get(queryId)!
      .map(([id]) => scores.get(id)!)
      .sort((a, b) => b - a);
    for (const [i, [, score]] of hits.entries()) assert.ok(Math.abs(score - best[i]!) < 1e-4);
  }
});

const usearch = await (await loadSearcher('usearch')).check().then(
  () => false as const,
  (error: Error) => error.message,
);

test('where nothing is kept, another seed finds what has no seed, and what belongs to a model is gone by then', {
  skip: usearch,
}, async () => {
  const cache = path.join(root, 'kept');
  const set = [`cache=${cache}`, `out=${path.join(root, 'kept-out')}`, 'keep=records', 'latency.queries=0'];
  const built = ['searcher=usearch', 'index.kind=HNSW8'];
  const requests = [1, 2].map((seed) => tinyRequest(root, 'fuse:bm25+dual-encoder', seed, ...set, ...built));
  const countOf = (folder: string) =>
    existsSync(path.join(cache, folder)) ? readdirSync(path.join(cache, folder)).length : 0;
  let most = 0;
  const quiet = silentProgress();
  const { records, failures } = await sweep(requests, {
    ...quiet,
    stage(...given) {
      most = Math.max(most, countOf('indexes'));
      return quiet.stage(...given);
    },
  });
  assert.deepEqual(failures, []);
  const found = (record: RunRecord, name: string) =>
    record.stages.find((stage) => stage.name === name)!.execution.cached;
  assert.deepEqual(
    records.map((record) => [found(record, 'bm25: index'), found(record, 'dual-encoder: index')]),
    [
      [false, false],
      [true, false],
    ],
  );
  assert.equal(most, 2);
  for (const folder of ['shards', 'indexes', 'runs', 'checkpoints']) assert.equal(countOf(folder), 0, folder);
});

test('a plan has the stages and the needs of every component', async () => {
  const { lines } = await planRun(tinyRequest(root, 'rerank:bm25>mlr-sc', 1));
  for (const pattern of [
    /^of {8}bm25/,
    /^of {8}mlr-sc/,
    /^train/,
    /^rerank {4}the first 10 hits of bm25/,
    /^disk/,
  ])
    assert.ok(
      lines.some((line) => pattern.test(line)),
      `${pattern} in\n${lines.join('\n')}`,
    );
});

test('names with a fault are refused before anything runs', async () => {
  const refused = (name: string, code: string, ...parts: string[]) =>
    assert.rejects(planRun(tinyRequest(root, name, 1)), (error: BenchError) => {
      assert.equal(error.code, code, `${name}: ${error.message}`);
      for (const part of parts) assert.ok(`${error.message} ${error.hint}`.includes(part), error.message);
      return true;
    });
  await refused('fuse:bm25', 'USAGE', 'two systems');
  await refused('fuse:bm25+', 'USAGE', 'two systems');
  await refused('fuse:bm25+bm25', 'USAGE', 'twice');
  await refused('fuse:bm25+mlr-sx', 'UNKNOWN_NAME', 'mlr-sx');
  await refused('fuse:bm25+nothing', 'UNKNOWN_NAME', 'nothing');
  await refused('rerank:bm25>fuse:bm25+mlr-sc', 'USAGE', 'put together of others');
  await refused('rerank:bm25>mlr-sc>me-bert', 'USAGE', '3 systems, not 2');
  await refused('rerank:mlr-sc>bm25', 'USAGE', 'bm25 has no vectors');
  const { components } = await loadSystem('fuse:bm25+pretrained:a+b+mlr-sc');
  assert.deepEqual(components, ['bm25', 'pretrained:a+b', 'mlr-sc']);
  const weighted = (...set: string[]) => planRun(tinyRequest(root, 'fuse:bm25+mlr-sc', 1, ...set));
  await assert.rejects(weighted('fuse.weights=[1,2]'), /play no part in reciprocal rank fusion/);
  await assert.rejects(weighted('fuse.method=weighted', 'fuse.weights=[1,2,3]'), /3 numbers for 2 systems/);
  await assert.rejects(weighted('fuse.method=weighted', 'fuse.weights=[0,0]'), /all 0/);
  await assert.rejects(trainOnly(tinyRequest(root, 'fuse:bm25+mlr-sc', 1), silentProgress()), {
    code: 'USAGE',
  });
});
