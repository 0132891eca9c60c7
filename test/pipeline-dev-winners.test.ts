/** Which vector wins on the gold passages of dev, held against passages that are encoded anew, one by one. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { prepareReport } from '../harness/comparison.js';
import { VectorEncoder } from '../harness/model/vector-encoder.js';
import { openCheckpoint } from '../harness/pipeline/checkpoint.js';
import { winnerOf } from '../harness/pipeline/passage-rows.js';
import { loadReport } from '../harness/plugins.js';
import { stream } from '../harness/random.js';
import { type RunRecord, readRecord } from '../harness/record.js';
import { run } from '../harness/sweep.js';
import { openEngine } from '../harness/tensor/engines.js';
import { checkedProgress } from './checked-progress.js';
import { tinyRequest } from './tiny-collection.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-dev-winners-'));
  await writeCollection(path.join(root, 'data'));
});
after(() => rm(root, { recursive: true, force: true }));

const random = stream(1, 'dev winners');
const word = () => Array.from({ length: 4 }, () => 'abcdefghijkl'[random.integer(12)]!).join('');
const words = Array.from({ length: 60 }, word);
const textOf = (length: number) =>
  Array.from({ length }, () => words[random.integer(words.length)]!).join(' ');
const passages = Array.from({ length: 40 }, (_, i) => ({
  passage_id: String(i + 1),
  title: textOf(1),
  text: textOf(3 + random.integer(9)),
}));

interface Question {
  question: string;
  answers: string[];
  positive_ctxs: typeof passages;
}

/** Three positives each, the first of which does not hold the answer of every other question; one has no answer at all. */
const dev = Array.from({ length: 20 }, (_, i): Question => {
  const positives = [0, 1, 2].map((at) => ({ ...passages[(i + 7 * at) % passages.length]! }));
  const answer = i === 5 ? 'nowhere' : positives[i % 3]!.text.split(' ').slice(0, 2).join(' ');
  return { question: textOf(4), answers: [answer], positive_ctxs: positives };
});

async function writeCollection(folder: string): Promise<void> {
  const lines = passages.map(({ passage_id, text, title }) => `${passage_id}\t"${text}"\t${title}\n`);
  const biencoder = (of: readonly Question[]) =>
    JSON.stringify(of.map((each) => ({ ...each, negative_ctxs: [], hard_negative_ctxs: [] })));
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'psgs_w100.tsv'), `id\ttext\ttitle\n${lines.join('')}`);
  await writeFile(path.join(folder, 'biencoder-nq-train.json'), biencoder(dev.slice(0, 2)));
  await writeFile(path.join(folder, 'biencoder-nq-dev.json'), biencoder(dev));
  const asked = dev.slice(0, 6).map(({ question, answers: [answer] }) => `${question}\t["${answer}"]\n`);
  await writeFile(path.join(folder, 'nq-test.qa.csv'), asked.join(''));
}

const request = (architecture: string, ...set: string[]) => ({
  ...tinyRequest(root, architecture, 3, 'measures=answer@5', 'text.passageTokens=24', ...set),
  dataset: 'dpr/nq',
});

/** The winners worked out from the checkpoint alone: each passage encoded by itself. */
async function expected({ stages }: RunRecord): Promise<{ qrels: number[]; answers: number[] }> {
  const key = stages.find(({ name }) => name === 'train')!.key!;
  const { retriever, weights, texts } = await openCheckpoint(path.join(root, 'cache', 'checkpoints', key));
  const engine = await openEngine('onnx');
  const shared = { engine, retriever, weights, batchTokens: 64, maxTokens: 24 };
  const queries = new VectorEncoder({ ...shared, side: 'query', maxTokens: 256 });
  const encoder = new VectorEncoder({ ...shared, side: 'passage' });
  const counts = { qrels: [] as number[], answers: [] as number[] };
  for (const { question, answers, positive_ctxs } of dev) {
    const query = (await queries.encode([texts.query(question)])).vectors;
    const scores = [];
    for (const { passage_id, title, text } of positive_ctxs) {
      const { vectors } = await encoder.encode([texts.passage({ passageId: passage_id, title, text })]);
      const rows = Array.from({ length: vectors.length / query.length }, (_, row) =>
        query.reduce((sum, value, d) => sum + value * vectors[row * query.length + d]!, 0),
      );
      const best = Math.max(...rows);
      const padded = ` ${text} `;
      scores.push({ winner: rows.indexOf(best), best, holds: padded.includes(` ${answers[0]} `) });
    }
    const count = (of: number[], winner: number) => {
      of[winner] = (of[winner] ?? 0) + 1;
    };
    count(counts.qrels, scores[0]!.winner);
    const answering = scores.filter(({ holds }) => holds).sort((a, b) => b.best - a.best);
    if (answering[0] !== undefined) count(counts.answers, answering[0].winner);
  }
  await queries.dispose();
  await encoder.dispose();
  await engine.dispose();
  return counts;
}

const withZeros = (counts: readonly number[], length: number) =>
  Array.from({ length }, (_, i) => counts[i] ?? 0);
const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);

for (const architecture of ['me-bert', 'mlr', 'colbert-cls']) {
  test(`${architecture}: the winners of dev, by qrels and by answers, are those of the passages' own vectors`, async () => {
    const record = await run(request(architecture), checkedProgress());
    const { dev: found, vectors } = record.winners!;
    const reference = await expected(record);
    assert.deepEqual(found, {
      qrels: withZeros(reference.qrels, vectors.length),
      answers: withZeros(reference.answers, vectors.length),
    });
    assert.deepEqual([sum(found!.qrels), sum(found!.answers!)], [20, 19], 'one query has no answer');
    if (architecture !== 'mlr')
      assert.ok(found!.qrels.filter((count) => count > 0).length > 1, 'more than one vector wins');
  });
}

test('a second run has them from the cache, the record is valid, and reports show them', async () => {
  const first = await run(request('me-bert'), checkedProgress());
  const again = await run(request('me-bert', 'latency.queries=0'), checkedProgress());
  assert.deepEqual(again.winners, first.winners);
  assert.equal(again.stages.find(({ name }) => name === 'dev winners')!.execution.cached, true);
  assert.equal(again.winners!.answer!.length, 6);
  const answered = again.winners!.answer!.filter((place) => place !== null).length;
  assert.ok(answered >= 6 * again.measures['answer@5']!.mean && answered > 0);
  assert.deepEqual(again.winners!.gold, Array(6).fill(null), 'the test questions of dpr have no qrels');

  const file = path.join(root, 'out', 'checked.record.json');
  await writeFile(file, JSON.stringify(again));
  assert.deepEqual((await readRecord(file)).winners, again.winners);
  const report = await prepareReport([{ file, record: again }], {}, '0.1.0');
  const lines = report.sections[0]!.winners;
  assert.deepEqual(
    lines.map(({ on, total }) => [on, total]),
    [
      ['all hits', sum(again.winners!.histogram)],
      ['first hits', 6],
      ['first hits with an answer', answered],
      ['dev gold, by qrels', 20],
      ['dev gold, by answers', 19],
    ],
  );
  for (const name of ['html', 'markdown']) {
    const text = await (await loadReport(name)).render(report);
    assert.match(text, /Which vector wins[\s\S]*dev gold, by answers/, name);
  }
});

test('one vector per passage always wins: nothing is said of it', async () => {
  const record = await run(request('mlr-sc'), checkedProgress());
  assert.equal(record.winners, undefined);
  assert.ok(!record.stages.some(({ name }) => name === 'dev winners'));
});

test('of equal scores the first vector wins, and a passage without vectors has no winner', () => {
  const query = Float32Array.of(1, 2);
  assert.deepEqual(winnerOf(query, Float32Array.of(1, 0, 3, 1, 1, 2)), { vector: 1, score: 5 });
  assert.equal(winnerOf(query, new Float32Array(0)), undefined);
});
