/** Learned sparse models as systems: from a folder to a record, and as parts of others. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Passage } from '../harness/contracts.js';
import { largestWeights } from '../harness/index/token-weights.js';
import { TimeEstimates } from '../harness/pipeline/estimate/time-estimate.js';
import { openDatasetHere } from '../harness/pipeline/open-dataset.js';
import { openEncoder } from '../harness/pipeline/open-model.js';
import { planRun } from '../harness/pipeline/plan.js';
import { openQueryWeights, openSparseModel } from '../harness/pipeline/sparse-model.js';
import { silentProgress } from '../harness/progress.js';
import type { RunRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { openEngine } from '../harness/tensor/engines.js';
import { linesIn } from './run-files.js';
import { sentenceFolder } from './sentence-folder.js';
import { routedFolder, spladeFolder, textsOf, withoutSetting } from './splade-folder.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
let folder: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-weights-'));
  await writeTinyCollection(path.join(root, 'data'));
  folder = spladeFolder('bert');
});
after(() => rm(root, { recursive: true, force: true }));

const asked = (architecture: string, ...set: string[]) => tinyRequest(root, architecture, 1, ...set);
const keysOf = ({ stages }: RunRecord) => Object.fromEntries(stages.map(({ name, key }) => [name, key]));

const linesOf = (record: RunRecord, out = path.join(root, 'out')) => linesIn(out, record);

/** The hits of brute force over the weights of every text of the collection, `query passage score`. */
async function bruteForce(most: { query?: number; passage?: number } = {}): Promise<string[]> {
  const dataset = await openDatasetHere('beir', path.join(root, 'cache'), path.join(root, 'data'));
  const engine = await openEngine('onnx', { threads: 1 });
  const model = await openSparseModel(folder, 'tiny', withoutSetting);
  const settings = { shardPassages: 1, memoryMiB: 1, batchTokens: 4096, precision: 'float32' };
  const [encoder, queryEncoder] = [
    openEncoder(model, 'passage', engine, settings),
    openQueryWeights(model, engine, settings),
  ];
  const passages: Passage[] = [];
  for await (const passage of dataset.passages()) passages.push(passage);
  const queries = await dataset.queries('test');
  const { vectors: pairs, counts } = model.retriever.weightsOf(
    (await encoder.encode(passages.map(model.texts.passage))).vectors,
  );
  const all = textsOf(largestWeights({ pairs, counts }, most.passage)).map(
    ([tokens, weights]) => new Map(tokens.map((t, i) => [t, weights[i]!])),
  );
  const asked = textsOf(
    largestWeights(await queryEncoder.encode(queries.map(({ text }) => model.texts.query(text))), most.query),
  );
  await encoder.dispose();
  await queryEncoder.close();
  await engine.dispose();
  return queries.flatMap(({ queryId }, q) =>
    passages
      .map(({ passageId }, p) => {
        const [tokens, weights] = asked[q]!;
        const score = tokens.reduce((sum, token, i) => sum + weights[i]! * (all[p]!.get(token) ?? 0), 0);
        return { passageId, score: Math.fround(score), p };
      })
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.p - b.p)
      .slice(0, 10)
      .map(({ passageId, score }) => `${queryId} ${passageId} ${score}`),
  );
}

const hitsOf = (lines: readonly string[]) =>
  lines.map((line) => {
    const [query, , passage, , score] = line.split(' ');
    return `${query} ${passage} ${Number(score)}`;
  });

test('a model is encoded, indexed, searched and timed; its hits are those of brute force, and its record says how it was read', async () => {
  const record = await run(asked(`sparse:${folder}`), silentProgress());
  assert.equal(record.arch.name, `sparse:${path.basename(folder)}`);
  assert.deepEqual([record.arch.family, record.arch.pooling], ['sparse', 'max']);
  assert.deepEqual(
    record.stages.map(({ name }) => name),
    ['prepare', 'encode', 'queries', 'index', 'search', 'measure', 'latency'],
  );
  assert.equal(record.device.searcher, 'impacts');
  const { kind, sizeBytes, vectorsPerPassage } = record.index!;
  assert.deepEqual([kind, vectorsPerPassage], ['impacts', 0]);
  const { total, ...parts } = sizeBytes;
  assert.equal(
    Object.values(parts).reduce((sum, bytes) => sum + bytes, 0),
    total,
  );
  assert.ok(
    record.model!.sizeBytes!.model > 0 &&
      record.model!.files.some(({ name }) => name === 'model.safetensors'),
  );
  for (const part of ['tokenize', 'encode', 'search'] as const)
    assert.ok(record.latency![part]!.p50Ms >= 0, part);
  assert.ok(record.latency!.throughput![0]!.queriesPerSecond > 0);
  assert.equal(record.warnings[0], 'as published: max over tokens of log1p(relu), at most 32 tokens');
  assert.match(
    record.warnings[1]!,
    /^[\d.]+ weights a passage of \d+ tokens are indexed; [\d.]+ a query come from the model$/,
  );
  assert.deepEqual(hitsOf(await linesOf(record)), await bruteForce());
  const again = await run(asked(`sparse:${folder}`), silentProgress());
  assert.deepEqual(again.measures, record.measures);
  assert.ok(again.stages.filter(({ key }) => key !== null).every(({ execution }) => execution.cached));
});

test('fewer weights are indexed and searched without encoding anew, and the record says how many', async () => {
  const whole = await run(asked(`sparse:${folder}`), silentProgress());
  const few = await run(asked(`sparse:${folder}`, 'sparse.passageWeights=3'), silentProgress());
  const shorter = await run(asked(`sparse:${folder}`, 'sparse.queryWeights=2'), silentProgress());
  assert.equal(keysOf(few).encode, keysOf(whole).encode);
  assert.notEqual(keysOf(few).index, keysOf(whole).index);
  assert.equal(keysOf(shorter).index, keysOf(whole).index);
  assert.notEqual(keysOf(shorter).search, keysOf(whole).search);
  assert.ok(few.index!.sizeBytes.postings! < whole.index!.sizeBytes.postings!);
  assert.deepEqual(hitsOf(await linesOf(few)), await bruteForce({ passage: 3 }));
  assert.deepEqual(hitsOf(await linesOf(shorter)), await bruteForce({ query: 2 }));
  assert.ok(few.warnings.includes('weights kept: the 3 largest of a passage, all of a query'));
  assert.ok(few.warnings.includes('set by the user instead of its files: passageWeights 3'));
  const prompted = await run(asked(`sparse:${folder}`, 'sparse.queryPrompt=lamp '), silentProgress());
  assert.notEqual(keysOf(prompted).encode, keysOf(whole).encode);
});

test('queries by a table are searched with their tokens', async () => {
  const record = await run(asked(`sparse:${await routedFolder()}`), silentProgress());
  assert.match(
    record.warnings[0]!,
    /^as published: max over tokens of log1p\(log1p\(relu\)\).*; queries by a table of weights, without an encoder$/,
  );
  assert.ok(
    record.model!.files.some(({ name }) => name === 'query_0_SparseStaticEmbedding/model.safetensors'),
  );
});

test('the plan says what is encoded, indexed and kept, and what is wrong is said before anything runs', async () => {
  const { lines, config } = await planRun(
    asked(`sparse:${folder}`, 'sparse.passageWeights=64', 'sparse.queryWeights=1'),
  );
  for (const line of [
    'index     impacts: the 64 largest weights of a passage',
    'search    the test queries, the 1 largest weight of each, 10 hits each, exact products',
    'artifacts encode -> index -> queries -> search',
  ])
    assert.ok(lines.includes(line), lines.join('\n'));
  assert.deepEqual(
    ['index' in config, 'searcher' in config, 'pretrained' in config, 'sparse' in config],
    [false, false, false, true],
  );
  await assert.rejects(planRun(asked('sparse:./nowhere')), { code: 'PATH_INVALID' });
  await assert.rejects(planRun(asked(`sparse:${spladeFolder('sum', { 'modules.json': [] })}`)), {
    code: 'CHECKPOINT_INVALID',
  });
});

test('what it takes is estimated from a little of it', async () => {
  const { time } = await planRun(asked(`sparse:${folder}`), new TimeEstimates(silentProgress()));
  assert.deepEqual(
    time!.stages.map(({ stage }) => stage).filter((stage) => stage !== 'prepare'),
    ['encode', 'index', 'search', 'latency'],
  );
  for (const { stage, seconds } of time!.stages) assert.ok(seconds! >= 0, stage);
});

test('it is a part of hybrids and the first of two steps, and scores no passages of others', async () => {
  const fused = await run(asked(`fuse:bm25+sparse:${folder}`), silentProgress());
  assert.deepEqual(
    fused.components!.map(({ index }) => index!.kind),
    ['BM25', 'impacts'],
  );
  const dense = await sentenceFolder('mean and cosine');
  const reranked = await run(asked(`rerank:sparse:${folder}>pretrained:${dense}`), silentProgress());
  assert.deepEqual(
    reranked.components!.map(({ index }) => index!.kind),
    ['impacts', 'Flat'],
  );
  assert.equal(reranked.measures['mrr@10']!.perQuery.length, 8);
  await assert.rejects(run(asked(`rerank:bm25>sparse:${folder}`), silentProgress()), {
    code: 'USAGE',
    message: /sparse:.* has no vectors to score given passages with/,
  });
});
