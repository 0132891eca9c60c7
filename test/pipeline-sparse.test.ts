/** A run without training, from dataset to record, and negatives mined by it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sample from '../datasets/sample.js';
import { loadConfig } from '../harness/config/config.js';
import { negativesFile, readNegatives } from '../harness/interchange/negatives.js';
import { readRun } from '../harness/interchange/trec.js';
import { planRun } from '../harness/pipeline/plan.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { silentProgress } from '../harness/progress.js';
import { readRecord } from '../harness/record.js';
import { bm25Negatives } from '../harness/stages/bm25-negatives.js';
import { indexTerms } from '../harness/stages/index-terms.js';
import { knownOf } from '../harness/stages/known.js';
import { Workbench } from '../harness/stages/workbench.js';
import { Store } from '../harness/store/store.js';
import { run } from '../harness/sweep.js';
import { AnswerMatcher } from '../harness/text/answers.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-sparse-'));
});
after(() => rm(root, { recursive: true, force: true }));

const quiet = silentProgress();

function request(set: readonly string[] = []) {
  const config = loadConfig({
    cwd: root,
    flags: {},
    set: [
      `cache=${path.join(root, 'cache')}`,
      `out=${path.join(root, 'out')}`,
      'latency.queries=5',
      'answering.measure=false',
      ...set,
    ],
  });
  return { architecture: 'bm25', dataset: 'sample', seed: 1, offline: true, config };
}

test('bm25 leaves a record like any other run, without model and training', async () => {
  const record = await run(request(), quiet);
  assert.equal(record.model, undefined);
  assert.equal(record.training, undefined);
  assert.deepEqual(
    record.stages.map(({ name }) => name),
    ['prepare', 'index', 'search', 'measure', 'latency'],
  );
  assert.equal(record.index!.kind, 'BM25');
  const { total, ...parts } = record.index!.sizeBytes;
  assert.equal(
    Object.values(parts).reduce((sum, bytes) => sum + bytes, 0),
    total,
  );
  assert.equal(record.measures['mrr@10']!.perQuery.length, 1000);
  assert.ok(record.measures['answer@100']!.mean > record.measures['answer@5']!.mean);
  assert.equal(record.latency!.total.samplesMs.length, 5);
  assert.deepEqual((record.config as { bm25: unknown }).bm25, {
    k1: 0.9,
    b: 0.4,
    lengths: 'exact',
    stemmer: 'porter',
    stopWords: true,
  });
  const { run: hits } = await readRun(path.join(root, 'out', record.run!.name));
  assert.ok(hits.size > 990);
});

test('the second time everything is in the cache, and gives the same', async () => {
  const first = await run(request(), quiet);
  const second = await run(request(), quiet);
  assert.deepEqual(
    second.stages.filter(({ key }) => key !== null).map(({ execution }) => execution.cached),
    [true, true],
  );
  assert.deepEqual(second.measures, first.measures);
});

test('other parameters search the same index, another stemmer makes one', async () => {
  const keys = async (set: readonly string[]) =>
    (await run(request(set), quiet)).stages.map(({ key }) => key);
  const usual = await keys([]);
  const steeper = await keys(['bm25.k1=2', 'bm25.lengths=lucene']);
  const unstemmed = await keys(['bm25.stemmer=none']);
  assert.equal(steeper[1], usual[1]);
  assert.notEqual(steeper[2], usual[2]);
  assert.notEqual(unstemmed[1], usual[1]);
});

test('the plan names no model', async () => {
  const { lines } = await planRun(request());
  assert.ok(lines.some((line) => line.includes('"k1":0.9')));
  assert.ok(!lines.some((line) => line.startsWith('train')));
});

test('mined negatives hold no answer and come back from their file', async () => {
  const dataset = await sample.open({ fetch: () => Promise.reject(new Error('fetched')) });
  const scoring = {
    formula: 'bm25',
    k1: 0.9,
    b: 0.4,
    lengths: 'exact',
    stemmer: 'porter',
    stopWords: true,
  } as const;
  const store = new Store(path.join(root, 'cache'));
  const { config } = request();
  const bench = () => new Workbench({ config, offline: true, store, dataset }, quiet, new StageLog(store));
  const known = await knownOf(bench());
  const asked = { split: 'dev', scoring, count: 5, depth: 50 } as const;
  const stage = bm25Negatives(indexTerms(scoring, known), asked, known);
  const make = () => bench().made(stage);
  const made = await make();
  assert.equal(made.facts.queries, 300);
  assert.ok(made.facts.answering > 0);
  const { negatives } = await readNegatives(negativesFile(made.folder));
  assert.equal(negatives.size, 300);
  const texts = new Map<string, string>();
  for await (const { passageId, text } of dataset.passages()) texts.set(passageId, text);
  for (const { queryId, answers } of await dataset.queries('dev')) {
    const matcher = new AnswerMatcher(answers!, 'string');
    const ids = negatives.get(queryId)!;
    assert.ok(ids.length <= 5);
    for (const id of ids) assert.ok(!matcher.matches(texts.get(id)!), `${id} of ${queryId}`);
  }
  assert.ok((await make()).cached);
  await readRecord(
    path.join(root, 'out', (await run(request(), quiet)).run!.name.replace('.run.gz', '.record.json')),
  );
});
