/** What a plan says of time: what is tried, how it is taken in proportion, and what is said not to be known. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import type { WholeSizes } from '../harness/pipeline/estimate/part-of-dataset.js';
import type { StageTime, TimeRow } from '../harness/pipeline/estimate/stage-time.js';
import {
  denseStages,
  negativesTime,
  sparseStages,
  trainStages,
} from '../harness/pipeline/estimate/stage-times.js';
import { type TimeEstimate, TimeEstimates, totalOf } from '../harness/pipeline/estimate/time-estimate.js';
import { planRun } from '../harness/pipeline/plan.js';
import { stages } from '../harness/pipeline/trained.js';
import { silentProgress } from '../harness/progress.js';
import { inOrder, inputKey, type Stage } from '../harness/stages/graph.js';
import { namesOf } from '../harness/stages/known.js';
import { trainingStages } from '../harness/stages/training.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
const usualFolder = process.env.TMPDIR;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-time-'));
  await writeTinyCollection(path.join(root, 'data'));
  await mkdir(path.join(root, 'temporary'));
  process.env.TMPDIR = path.join(root, 'temporary');
});
after(async () => {
  if (usualFolder === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = usualFolder;
  await rm(root, { recursive: true, force: true });
});

const estimates = () => new TimeEstimates(silentProgress());
const names = (stages: readonly StageTime[]) => stages.map(({ stage }) => stage);

test('runs that need the same artifact make it once, in systems put together of others too', async () => {
  const times = estimates();
  const set = ['train.epochs=1', 'latency.queries=2'];
  const of = (name: string, seed = 1) => times.of(tinyRequest(root, name, seed, ...set), {});
  const [terms, dense] = [await of('bm25'), await of('mlr-sc')];
  const together = await of('fuse:bm25+mlr-sc');
  const latency = (estimate: TimeEstimate) =>
    estimate.stages
      .filter(({ stage }) => /latency/.test(stage))
      .reduce((sum, { seconds }) => sum + seconds!, 0);
  const { seconds } = totalOf([terms, dense, together]);
  near(seconds, terms.seconds + dense.seconds + latency(together));
  // The second of two scores what the first has found, and is not searched.
  const { stages } = await of('rerank:bm25>mlr-sc');
  assert.ok(names(stages).includes('bm25: search') && !names(stages).includes('mlr-sc: search'));
  // Each is to find as many as are reranked: that is another search.
  const deeper = await times.of(tinyRequest(root, 'fuse:bm25+mlr-sc', 1, ...set, 'fuse.depth=7'), {});
  const [own, its] = [together, deeper].map(({ stages }) =>
    stages.map(({ stage, sharedBy }) => `${stage} ${sharedBy}`),
  );
  assert.deepEqual(
    its!.filter((row) => !own!.includes(row)).map((row) => row.replace(/ [0-9a-f]{20}$/, '')),
    ['bm25: search', 'mlr-sc: search'],
  );
  // BM25 knows no seed, and what is trained does.
  const [again, other] = [await of('bm25', 2), await of('mlr-sc', 2)];
  near(totalOf([terms, again]).seconds, terms.seconds + latency(again));
  const negatives = dense.stages.find(({ stage }) => stage === 'negatives')!;
  near(totalOf([dense, other]).seconds, dense.seconds + other.seconds - negatives.seconds!);
  // Another first training begins the second.
  const twice = await times.of(tinyRequest(root, 'mlr-sc', 1, ...set, 'stages=2'), {});
  const keys = twice.stages.flatMap(({ sharedBy }) => sharedBy ?? []);
  assert.equal(new Set(keys).size, 6, keys.join('\n'));
});

test('negatives are counted where the graph of the run has them', async () => {
  const stagesOf = async (...set: string[]) =>
    names((await estimates().of(tinyRequest(root, 'mlr-sc', 1, ...set), {})).stages);
  // They are found all the same: what the epochs come to is looked at later.
  assert.equal((await stagesOf('train.epochs=0'))[0], 'negatives');
  assert.equal((await stagesOf('train.epochs=1', 'train.negatives=0'))[0], 'train');
});

test('every stage of a run is tried, nothing of it stays, and another seed is not tried again', async () => {
  const times = estimates();
  const set = ['train.epochs=2', 'train.batchSize=2', 'stages=2', 'train.averageRankFrom=1'];
  const request = tinyRequest(root, 'mlr-sc', 1, ...set);
  const { stages, seconds } = await times.of(request, {});
  assert.deepEqual(names(stages), [
    'negatives',
    'train',
    'mine',
    'train again',
    'encode',
    'search',
    'latency',
  ]);
  for (const { stage, seconds: own } of stages) assert.ok(own! > 0, stage);
  assert.equal(
    seconds,
    stages.reduce((sum, each) => sum + each.seconds!, 0),
  );
  // 4 queries to train on: 2 steps an epoch; with the mined ones at most 4.
  assert.match(stages[1]!.basis, /^4 steps of .*, measured now on \d+ of this shape/);
  assert.match(stages[3]!.basis, /^at most 4 steps of /);
  assert.equal(existsSync(path.join(root, 'cache')), false);
  // ONNX Runtime leaves files of its own there.
  const left = readdirSync(path.join(root, 'temporary')).filter((name) => name.startsWith('strata'));
  assert.deepEqual(left, []);
  // What it took stands there to the last digit.
  const told = ({ sharedBy: _, ...row }: TimeRow) => row;
  const other = await times.of({ ...request, seed: 2 }, {});
  assert.deepEqual(other.stages.map(told), stages.map(told));
});

test('a plan prints each stage with what its figure rests on, of BM25 too', async () => {
  const { lines, time } = await planRun(tinyRequest(root, 'bm25', 1), estimates());
  const at = lines.findIndex((line) => line.startsWith('time '));
  assert.match(lines[at]!, /^time {6}about .* if nothing is in the cache/);
  assert.match(lines[at + 1]!, /^ {2}index .*30 passages, measured now on 30 passages$/);
  assert.match(lines[at + 2]!, /^ {2}search .*8 queries of .*, measured now on 8 queries in an index of 30/);
  assert.deepEqual(names(time!.stages), ['index', 'search', 'latency']);
  assert.equal((await planRun(tinyRequest(root, 'bm25', 1))).time, undefined);
  // A system that is put together of others is opened once.
  const fused = tinyRequest(root, 'fuse:bm25+mlr-sc', 1, 'answering.measure=true');
  const { stages } = await estimates().of(fused, {});
  assert.equal(names(stages).filter((name) => name.includes('answering')).length, 1);
  assert.ok(stages.at(-1)!.seconds! > 1);
});

test('what cannot be tried is said not to be known: a model that is not here, data that is not here', async () => {
  const request = tinyRequest(root, 'mlr', 1, 'model.name=some/model');
  const { lines } = await planRun({ ...request, offline: false }, estimates());
  const at = lines.findIndex((line) => line.startsWith('time '));
  assert.deepEqual(lines.slice(at, at + 2), [
    'time      not known',
    '  all         not known: the checkpoint is not here yet',
  ]);
  const { data: _, ...rest } = tinyRequest(root, 'bm25', 1);
  const { stages } = await estimates().of({ ...rest, dataset: 'squad', offline: false }, {});
  assert.match(stages[0]!.basis, /the dataset is not here yet, and how long its download takes is not known/);
  assert.equal(stages[0]!.seconds, null);
});

const whole: WholeSizes = {
  ...{ passages: 1000, encoded: 1000, trainingExamples: 100, trainingQueries: 120, devExamples: 10 },
  queries: { train: 120, dev: 10, test: 50 },
};
const trained = {
  ...{ secondsPerQuery: 0.5, secondsPerUpdate: 1, startSeconds: 3, steps: 2, batchSize: 8, devExamples: 4 },
  secondsPerDevExample: { crossEntropy: 0.1, averageRank: 2 },
};
const dense = {
  ...{ secondsPerPassage: 0.01, encoded: 64, startSeconds: 2, searched: 16, indexed: 500 },
  encodeQuery: { alone: 0.4, inBatch: 0.1 },
  searchPassage: { alone: 0.0006, inBatch: 0.0004 },
};
const configOf = (...set: string[]) =>
  loadConfig({ cwd: '/', set: ['train.batchSize=8', 'train.epochs=4', 'train.averageRankFrom=3', ...set] });
/** What a request with these settings trains. */
const trainingsOf = (...set: string[]) => {
  const config = configOf(...set);
  const request = { architecture: 'mlr-sc', dataset: 'beir/nq', seed: 1, offline: true, config };
  return trainingStages(request, namesOf(request));
};
const near = (seconds: number | null, expected: number) =>
  assert.ok(Math.abs(seconds! - expected) < 1e-9, `${seconds} is not ${expected}`);

test('what a part of the work took is taken in proportion to the whole', async () => {
  const [train] = trainStages(trained, dense, whole, await trainingsOf());
  // 4 epochs of 100 queries and 13 steps; dev thrice by cross entropy and once by average rank; compiling.
  near(train!.seconds, 4 * (100 * 0.5 + 13 * 1) + 10 * (3 * 0.1 + 2) + 3);
  const [searched] = trainStages(trained, dense, whole, await trainingsOf('arch.lambda=0.1,1'));
  near(searched!.seconds, 2 * (train!.seconds! - 3) + 3);
  const [free] = trainStages(trained, dense, whole, await trainingsOf('train.epochs=0'));
  assert.equal(free!.seconds, 0);

  const [, mine, again] = trainStages(
    trained,
    dense,
    whole,
    await trainingsOf('stages=2', 'stage2.epochs=1'),
  );
  near(mine!.seconds, 1000 * 0.01 + 120 * (0.1 + 1000 * 0.0004));
  near(again!.seconds, (100 + 120) * 0.5 + 28 + 10 * 0.1 + 3);

  const timed = configOf('latency.queries=10', 'latency.warmup=5', 'latency.batchSizes=[1,4]');
  const [encode, search, latency] = denseStages(dense, whole, timed);
  near(encode!.seconds, 1000 * 0.01 + 2);
  near(search!.seconds, 50 * 0.5);
  // 25 single queries and half a second; 20 batches of one and 10 of four.
  near(latency!.seconds, 0.5 + 25 * 1 + 20 * 1 + 10 * 4 * 0.5);
  const [, , loaded] = denseStages(
    dense,
    whole,
    configOf(
      ...['latency.queries=10', 'latency.warmup=5', 'latency.batchSizes=[]'],
      ...['latency.rates=0.5,40', 'latency.clients=1,8', 'latency.bound=5', 'latency.loadQueries=2000'],
    ),
  );
  // 4,000 s until the last query has come, and 2,000 of answering for the rest: a rate, two numbers of clients, a search.
  near(loaded!.seconds, 0.5 + 25 * 1 + 4000 + 2000 + 2 * 2000 + 10 * 2000);
  assert.match(
    loaded!.basis,
    /under load 30000\.0 s, 2,000 queries each at 0\.5, 40 a second, of 1, 8 clients/,
  );
  const [, , fresh] = denseStages(
    dense,
    whole,
    configOf(
      ...['latency.queries=10', 'latency.warmup=5', 'latency.batchSizes=[]'],
      ...['latency.processes=3', 'latency.oneThread=true', 'latency.cold=true'],
    ),
  );
  // Seven processes; three rounds and one of one thread with their warm-ups, three of ten queries without.
  near(fresh!.seconds, 7 * 1.5 + 4 * (0.5 + 25) + 3 * 10);
  const [, built] = denseStages(dense, whole, configOf('index.kind=HNSW32'));
  assert.deepEqual([built!.stage, built!.seconds], ['index', null]);

  const terms = { secondsPerPassage: 0.002, indexed: 100, secondsPerSearch: 1e-6, searched: 20 };
  const [index, found] = sparseStages(terms, whole, timed);
  near(index!.seconds, 2);
  near(found!.seconds, 50 * 1e-3);
});

test('sizes of one collection encode once what the largest has, and each searches its own', async () => {
  const grown = { ...whole, passages: 2000, encoded: 5000 };
  const [encode, search] = denseStages(dense, grown, configOf());
  near(encode!.seconds, 5000 * 0.01 + 2);
  near(search!.seconds, 50 * (0.1 + 2000 * 0.0004));
  const graphOf = async (count: number) => {
    const distractors = { count, largest: 4000, from: { dataset: 'sample' } };
    const request = { architecture: 'mlr-sc', dataset: 'beir/nq', seed: 1, offline: true };
    const asked = { ...request, config: configOf(), distractors };
    return inOrder((await stages(asked, namesOf(asked))).all);
  };
  const [few, many] = [await graphOf(1000), await graphOf(4000)];
  const made = (graph: readonly Stage[]) => encode!.makes!(graph).map(inputKey);
  assert.equal(made(few).length, 1);
  assert.deepEqual(made(few), made(many));
});

test('a training without queries is not known, and what runs share is counted once', async () => {
  const [none] = trainStages(undefined, dense, whole, await trainingsOf());
  assert.deepEqual([none!.seconds, none!.basis], [null, 'there is no query to train on']);
  const shared = negativesTime({ secondsPerPassage: 0.001, secondsPerQuery: 1e-6, queries: 5 }, whole);
  near(shared.seconds, 1 + 0.13);
  const [own] = trainStages(trained, dense, whole, await trainingsOf());
  const one = { stages: [{ ...shared, sharedBy: 'one' }, own!], seconds: 0 };
  const { seconds, unknown } = totalOf([one, one, { stages: [none!], seconds: 0 }]);
  near(seconds, shared.seconds! + 2 * own!.seconds!);
  assert.equal(unknown, 1);
});
