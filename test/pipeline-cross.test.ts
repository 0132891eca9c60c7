/** A published cross-encoder behind BM25: a row of the table, the same on any number of threads, killed or not. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { BenchError } from '../harness/errors.js';
import { readHits } from '../harness/pipeline/hit-files.js';
import { trainOnly } from '../harness/pipeline/one-stage.js';
import { openSystem } from '../harness/pipeline/opening.js';
import { groupQueries } from '../harness/pipeline/pair-scorer.js';
import { planRun } from '../harness/pipeline/plan.js';
import { prepare } from '../harness/pipeline/prepare.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { encodeSystem, searchSystem } from '../harness/pipeline/system-stages.js';
import { silentProgress } from '../harness/progress.js';
import { assertRecord } from '../harness/record/validate.js';
import type { RunRecord } from '../harness/record.js';
import type { PassageHits } from '../harness/search/search.js';
import { run } from '../harness/sweep.js';
import { loadSystem } from '../harness/systems.js';
import { crossFolder, scoresOf } from './cross-folder.js';
import { assertSameWhenKilled, killedRoot } from './killed-runs.js';
import { hitsIn } from './run-files.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
let folder: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-cross-'));
  await writeTinyCollection(path.join(root, 'data'));
  folder = crossFolder('bert');
});
after(() => rm(root, { recursive: true, force: true }));

const request = (architecture: string, ...set: string[]) => tinyRequest(root, architecture, 1, ...set);
const behindBm25 = () => `rerank:bm25>cross:${folder}`;

const hitsOf = (record: RunRecord) => hitsIn(path.join(root, 'out'), record);

/** By id. */
async function lines(file: string): Promise<Map<string, { title: string; text: string }>> {
  const text = await readFile(path.join(root, 'data', file), 'utf8');
  return new Map(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .map(({ _id, title = '', text: own }) => [_id, { title, text: own }]),
  );
}

test('the hits of BM25 are in the order of the scores of query and passage together, and the record says what scored', async () => {
  const first = await hitsOf(await run(request('bm25'), silentProgress()));
  const record = await run(request(behindBm25()), silentProgress());
  assertRecord(JSON.parse(JSON.stringify(record)), 'reranked');
  assert.deepEqual(record.stages.map(({ name }) => name).slice(1, -2), [
    'bm25: index',
    'bm25: search',
    `cross:${folder}: texts`,
    'rerank',
  ]);
  const [bm25, cross] = record.components!;
  assert.equal(cross!.arch.family, 'cross');
  assert.equal(cross!.index, undefined);
  assert.deepEqual(record.index!.sizeBytes, bm25!.index!.sizeBytes);
  assert.equal(cross!.model!.name, folder);
  assert.equal(cross!.model!.shape.dimensions, 12);
  assert.ok(cross!.model!.files.some(({ name }) => name === 'model.safetensors'));
  assert.equal(record.device.engine, 'onnx');
  assert.ok(record.latency!.search!.p50Ms > 0);
  assert.equal(record.latency!.encode, undefined);
  assert.match(record.warnings.join('\n'), /the sigmoid of the logit is the score, at most 32 tokens a pair/);
  const [passages, queries] = [await lines('corpus.jsonl'), await lines('queries.jsonl')];
  for (const [queryId, hits] of await hitsOf(record)) {
    assert.deepEqual(new Set(hits.map(([id]) => id)), new Set(first.get(queryId)!.map(([id]) => id)));
    const [scores] = await scoresOf(folder, {
      queries: [queries.get(queryId)!.text],
      passages: hits.map(([id]) => [passages.get(id)!.title, passages.get(id)!.text]),
    });
    for (const [i, [id, score]] of hits.entries()) {
      assert.ok(Math.abs(score - scores![i]!) < 1e-6, `${id}: ${score}, ${scores![i]}`);
      assert.ok(i === 0 || score <= hits[i - 1]![1]);
    }
  }
  const again = await run(request(behindBm25(), 'rerank.depth=3'), silentProgress());
  assert.match(
    again.warnings.join('\n'),
    /the first 3 hits of bm25 in the order of cross:.*by the score of query and passage together; the hits behind them are in the order of bm25/,
  );
  for (const [queryId, hits] of await hitsOf(again))
    assert.deepEqual(
      hits.slice(3).map(([id]) => id),
      first
        .get(queryId)!
        .slice(3)
        .map(([id]) => id),
    );
});

test('a query that is waited for alone gets the hits that it has among others', async () => {
  const system = behindBm25();
  const progress = silentProgress();
  const whole = request(system);
  const prepared = await prepare(whole, progress);
  const { answer } = await (await loadSystem(system)).steps();
  const asking = { request: whole, prepared, split: 'test', depth: 10, identicalIds: 'kept' } as const;
  const answered = await answer({ ...asking, log: new StageLog(prepared.store), progress });
  const queries = await prepared.dataset.queries('test');
  const opened = await openSystem(answered.opening, { progress });
  try {
    const all = await readHits(answered.run);
    const together = await opened.answerBatch(queries);
    assert.deepEqual(together.ordinals, all.ordinals);
    for (const [q, query] of queries.entries()) {
      let value: unknown = query;
      for (const part of opened.parts) value = await part.run(value as never);
      const alone = value as PassageHits;
      const own = all.ordinals.subarray(q * all.depth, q * all.depth + all.counts[q]!);
      assert.deepEqual(alone.ordinals.subarray(0, alone.counts[0]), own);
    }
  } finally {
    await opened.close();
    await answered.close();
  }
});

test('another number of threads changes no bit of a score, other settings make another run', async () => {
  const runs: Buffer[] = [];
  for (const threads of [1, 2]) {
    const own = await run(
      request(
        behindBm25(),
        `threads=${threads}`,
        `cache=${path.join(root, `threads-${threads}`)}`,
        'latency.queries=0',
      ),
      silentProgress(),
    );
    runs.push(await readFile(path.join(root, 'out', own.run!.name)));
  }
  assert.ok(runs[0]!.equals(runs[1]!));
  const keys = new Set<string>();
  for (const set of [[], ['cross.maxTokens=12'], ['encode.batchTokens=64'], ['encode.precision=int8']]) {
    const { stages } = await run(request(behindBm25(), 'latency.queries=0', ...set), silentProgress());
    keys.add(stages.find(({ name }) => name === 'rerank')!.key!);
  }
  assert.equal(keys.size, 4);
});

test('killed among its pairs, it goes on behind the queries that it has, with the bytes of one that was left alone', async () => {
  const killed = await killedRoot();
  // So many hits are asked for that every query is a part of its own.
  assert.equal(groupQueries(1000), 1);
  try {
    const places = [/^before .*texts\.utf8$/, /^after .*00001\.hits$/, /^before .*runs\/.*scores\.f32$/];
    await assertSameWhenKilled(killed, 'cross', [
      {
        argv: (here) => [
          ...['run', '--arch', behindBm25(), '--dataset', 'squad', '--data', path.join(killed, 'data')],
          ...['--cache', path.join(here, 'cache'), '--out', path.join(here, 'out')],
          ...['search.depth=1000', 'latency.queries=0', 'measures=mrr@10'].flatMap((each) => ['--set', each]),
        ],
        places,
      },
    ]);
  } finally {
    await rm(killed, { recursive: true, force: true });
  }
});

test('where it has no hits to score it is refused, and what it needs is said before anything runs', async () => {
  const refused: [string, RegExp, RegExp][] = [
    [`cross:${folder}`, /finds none/, /'rerank:bm25>cross:/],
    [`fuse:bm25+cross:${folder}`, /asks cross:.* for hits/, /fuse:bm25\+mlr-sc/],
    [`rerank:cross:${folder}>bm25`, /asks cross:.* for hits/, /rerank:bm25>mlr-sc/],
  ];
  for (const [name, message, hint] of refused) {
    await assert.rejects(planRun(request(name)), (error: BenchError) => {
      assert.equal(error.code, 'USAGE');
      assert.match(error.message, message);
      assert.match(error.hint!, hint);
      return true;
    });
  }
  await assert.rejects(
    searchSystem(
      { ...request(`cross:${folder}`), system: `cross:${folder}`, split: 'test' },
      silentProgress(),
    ),
    { code: 'USAGE' },
  );
  const system = `cross:${folder}`;
  const alone = { ...request(system), system };
  await assert.rejects(encodeSystem(alone, silentProgress()), { code: 'USAGE', message: /finds none/ });
  await assert.rejects(trainOnly(alone, silentProgress()), { code: 'USAGE', message: /finds none/ });
  await assert.rejects(planRun(request('rerank:bm25>cross:./nowhere')), { code: 'PATH_INVALID' });
  await assert.rejects(planRun(request('rerank:bm25>bm25x')), { code: 'UNKNOWN_NAME' });
  const { lines: said } = await planRun(request(behindBm25()));
  assert.ok(
    said.some((line) => /^memory .*cross-encoder's weights/.test(line)),
    said.join('\n'),
  );
  assert.ok(said.some((line) => /rerank .*by the score of query and passage together/.test(line)));
});
