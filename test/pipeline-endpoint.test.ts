/** A server's vectors as a system: whole runs against one on this machine, and what is left where it fails on the way. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { keyVariable } from '../harness/endpoint/client.js';
import { readRun } from '../harness/interchange/trec.js';
import { openRun } from '../harness/pipeline/open-run.js';
import { planRun } from '../harness/pipeline/plan.js';
import { silentProgress } from '../harness/progress.js';
import { assertRecord } from '../harness/record/validate.js';
import { inOrder } from '../harness/stages/graph.js';
import { run } from '../harness/sweep.js';
import { answerTo, bodyOf, dimensions, send, vectorOf } from './endpoint-server.js';
import { failsWith, loopback } from './loopback.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const server = loopback();
const key = 'sk-very-secret-key';
let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-endpoint-'));
  await writeTinyCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));
afterEach(() => {
  delete process.env[keyVariable];
});

/** Texts of every request. @param fails says which requests are refused */
function serving(fails: (request: number) => boolean = () => false): string[][] {
  const asked: string[][] = [];
  server.handle = (request, response) => {
    void bodyOf(request).then((body) => {
      asked.push(body.input);
      if (fails(asked.length)) send(response, 'quota', 402);
      // Answers overtake each other, and have an order of their own.
      else
        setTimeout(
          () => send(response, { ...answerTo(body), data: answerTo(body).data.reverse() }),
          asked.length % 7,
        );
    });
  };
  return asked;
}

const request = (...set: string[]) => ({
  ...tinyRequest(
    root,
    `endpoint:${new URL(server.url).origin}`,
    1,
    ...['endpoint.similarity=dot', 'endpoint.batchSize=4', 'endpoint.retries=0', ...set],
  ),
  offline: false,
});

const product = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

async function linesOf(file: string): Promise<{ _id: string; title: string; text: string }[]> {
  const text = await readFile(path.join(root, 'data', file), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { _id: string; title: string; text: string });
}

test('hits are those of the vectors, prompts stand before the texts, and the record says whose time encoding is', async () => {
  process.env[keyVariable] = key;
  const asked = serving();
  const prompts = [
    ...['endpoint.queryPrompt="query: "', 'endpoint.passagePrompt="passage: "', 'endpoint.model=mine'],
  ];
  const record = await run(request(...prompts), silentProgress());
  assertRecord(JSON.parse(JSON.stringify(record)), 'endpoint');
  const corpus = (await linesOf('corpus.jsonl')).map(({ _id, title, text }) => ({
    id: _id,
    vector: vectorOf(`passage: ${title} ${text}`),
  }));
  const texts = new Map((await linesOf('queries.jsonl')).map(({ _id, text }) => [_id, text]));
  const { run: hits } = await readRun(path.join(root, 'out', record.run!.name));
  for (const [queryId, { passageIds, scores }] of hits) {
    const query = vectorOf(`query: ${texts.get(queryId)!}`);
    const expected = corpus
      .map(({ id, vector }, i) => ({ id, score: product(query, vector), i }))
      .sort((a, b) => b.score - a.score || a.i - b.i)
      .slice(0, 10);
    assert.deepEqual(
      [...passageIds],
      expected.map(({ id }) => id),
    );
    assert.deepEqual(
      Array.from(scores!),
      expected.map(({ score }) => score),
    );
  }
  assert.ok(asked.every((input) => input.length <= 4));
  assert.equal(record.arch.family, 'endpoint');
  assert.equal(record.device.queryVectors, 'network');
  assert.equal(record.index!.dimensions, dimensions);
  assert.ok(record.latency!.encode!.meanMs > 0);
  assert.equal(record.latency!.tokenize, undefined);
  assert.match(record.warnings.join('\n'), /model mine, which the server calls served-model; dot/);
  // The key was sent with every request, and stands in no file.
  assert.ok(server.seen.every(({ authorization }) => authorization === `Bearer ${key}`));
  for (const folder of ['cache', 'out'])
    for (const entry of await readdir(path.join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = await readFile(path.join(entry.parentPath, entry.name));
      const text = (entry.name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('latin1');
      assert.ok(!text.includes(key), entry.name);
    }
  // Passages that are there are not asked for again, nor are queries whose hits are.
  const before = asked.length;
  await run(request(...prompts, 'latency.queries=0'), silentProgress());
  assert.equal(asked.length, before);
});

test('a server that fails on the way leaves the shards that are whole, and the next run goes on behind them', async () => {
  // A request for D, then 2 for each shard of 6.
  const small = [
    'encode.shardPassages=6',
    'endpoint.concurrency=1',
    'endpoint.model=resumed',
    'latency.queries=0',
  ];
  const asked = serving((count) => count > 6);
  await failsWith(run(request(...small), silentProgress()), 'DOWNLOAD_FAILED', 'it answered 402: quota');
  const first = asked.length;
  assert.equal(first, 7);
  const again = serving();
  const record = await run(request(...small), silentProgress());
  const corpus = await linesOf('corpus.jsonl');
  const textOf = ({ title, text }: { title: string; text: string }) => `${title} ${text}`;
  const passages = again
    .slice(1)
    .flat()
    .filter((text) => corpus.some((each) => textOf(each) === text));
  // Of 5 shards 2 were whole.
  assert.deepEqual(passages, corpus.slice(12).map(textOf));
  const whole = serving();
  const others = ['endpoint.model=resumed', 'latency.queries=0', 'encode.shardPassages=30'];
  const expected = await run(request(...others), silentProgress());
  assert.ok(whole.length > 8);
  assert.deepEqual(record.measures, expected.measures);
});

test('vectors of another length than the index has are refused, and so is what needs no network', async () => {
  serving();
  const set = ['endpoint.model=changed', 'latency.queries=0'];
  await run(request(...set), silentProgress());
  server.handle = (asked, response) => {
    void bodyOf(asked).then((body) => {
      const { data, ...rest } = answerTo(body);
      send(response, { ...rest, data: data.map((each) => ({ ...each, embedding: [...each.embedding, 1] })) });
    });
  };
  await failsWith(
    run(request(...set, 'endpoint.queryPrompt=other'), silentProgress()),
    'DOWNLOAD_FAILED',
    '6 dimensions where others have 5',
  );
  await failsWith(planRun({ ...request(), offline: true }), 'USAGE', '--offline');
  const { lines } = await planRun(request());
  assert.ok(
    lines.some((line) => /^server .*\/v1\/embeddings, its own model, dot/.test(line)),
    lines.join('\n'),
  );
});

test('the server is asked for the vectors of distractors too, once for all sizes', async () => {
  const asked = serving();
  // p0 to p29 are the collection; its own passages that no test query needs are added.
  const grown = (count: number) =>
    run({ ...request(), distractors: { count, largest: 5 } }, silentProgress());
  const few = await grown(2);
  const base = few.dataset.distractors!.basePassages;
  assert.equal(few.index!.rows, base + 2);
  const many = await grown(5);
  assert.equal(many.index!.rows, base + 5);
  const passages = new Set(
    (await linesOf('corpus.jsonl')).map(({ title, text }) => `${title} ${text}`.trim()),
  );
  const sent = asked.flat().filter((text) => passages.has(text));
  assert.equal(new Set(sent).size, base + 5);
  // The first text of either part says how long its vectors are, and is asked for twice.
  assert.equal(sent.length, base + 5 + 2);
});

test('processes of their own ask the server too', async () => {
  const asked = serving();
  const set = ['latency.queries=4', 'latency.warmup=0', 'latency.batchSizes=[]', 'latency.oneThread=true'];
  const { latency } = await run(request(...set), silentProgress());
  const { encode, search } = latency!.oneThread!;
  assert.deepEqual([encode!.samplesMs.length, search!.samplesMs.length], [4, 4]);
  const alone = asked.filter((texts) => texts.length === 1).length;
  // In this process and in that one, each query to warm up and to be timed.
  assert.ok(alone >= 4 * 4, `${alone} requests of one text`);
});

test('a run that is opened for tasks asks the server, too, and leaves what a run takes', async () => {
  const asked = serving();
  const wanted = request('latency.queries=0', 'endpoint.queryPrompt="q: "', 'endpoint.passagePrompt="p: "');
  const open = await openRun(wanted, silentProgress());
  try {
    const bench = open.place(silentProgress());
    for (const stage of inOrder(open.stages)) await bench.made(stage);
  } finally {
    await open.close();
  }
  assert.ok(asked.length > 2, String(asked.length));
  const before = asked.length;
  const { stages } = await run(wanted, silentProgress());
  assert.ok(stages.every((stage) => stage.key === null || stage.execution.cached));
  assert.equal(asked.length, before);
});
