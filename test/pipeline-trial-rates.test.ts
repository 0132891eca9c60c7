/** What a trial of the work measures, by a clock that goes with the work alone: a second a program, ten for one that is compiled. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, mock, test } from 'node:test';
import { textEncoders } from '../harness/pipeline/checkpoint.js';
import { denseRates } from '../harness/pipeline/estimate/dense-rates.js';
import { type PartOfDataset, partOf } from '../harness/pipeline/estimate/part-of-dataset.js';
import { affordable, timed } from '../harness/pipeline/estimate/timed.js';
import { trainRates } from '../harness/pipeline/estimate/train-rates.js';
import { engineOf, prepare } from '../harness/pipeline/prepare.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { silentProgress } from '../harness/progress.js';
import { knownOf } from '../harness/stages/known.js';
import { trainingStages } from '../harness/stages/training.js';
import { Workbench } from '../harness/stages/workbench.js';
import { Store } from '../harness/store/store.js';
import type { Engine } from '../harness/tensor/engine.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

let root: string;
let seconds = 0;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-trial-'));
  await writeTinyCollection(path.join(root, 'data'));
  mock.method(performance, 'now', () => 1000 * seconds);
});
after(async () => {
  mock.restoreAll();
  await rm(root, { recursive: true, force: true });
});

/** The same engine, by whose work the clock goes. */
function counting(engine: Engine): Engine {
  return new Proxy(engine, {
    get(target, name) {
      if (name !== 'compile') {
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      }
      return async (...given: Parameters<Engine['compile']>) => {
        seconds += 10;
        const program = await target.compile(...given);
        const run: typeof program.run = (...fed) => {
          seconds += 1;
          return program.run(...fed);
        };
        return { run, dispose: () => program.dispose() };
      };
    },
  });
}

/** What a trial of a request begins with. */
async function opened(architecture: string, ...set: string[]) {
  const request = tinyRequest(root, architecture, 1, ...set);
  const progress = silentProgress();
  const store = new Store(path.join(root, 'cache'));
  const session = await prepare(request, progress, store);
  const engine = await engineOf(request.config);
  const part = await partOf(session.dataset);
  const bench = new Workbench({ ...session, dataset: part.dataset }, progress, new StageLog(store), engine);
  const setup = await (await trainingStages(request, await knownOf(bench))).setup(bench);
  const { retriever, tokenizer, text, initial } = setup;
  const model = {
    ...{ retriever, weights: initial, texts: textEncoders(tokenizer, text) },
    maxTokens: { query: text.maxQueryTokens, passage: text.maxPassageTokens },
  };
  const close = async () => {
    await bench.close();
    await engine.dispose();
  };
  return { config: request.config, part, setup, model, engine: counting(engine), close };
}

test('the beginning of a dataset is all of a small one, and says how large the whole is', async () => {
  const { part, close } = await opened('dual-encoder');
  try {
    assert.equal(part.passages.length, 30);
    const { passages, encoded, devExamples, queries, trainingExamples } = part.whole;
    assert.deepEqual([passages, encoded, devExamples, trainingExamples], [30, 30, 0, 4]);
    assert.deepEqual(queries, { train: 4, dev: 0, test: 8 });
    const asked = await partOf(part.dataset, { searched: 40, encoded: 50 });
    assert.deepEqual([asked.whole.passages, asked.whole.encoded], [40, 50]);
    const many = {
      ...part.dataset,
      async *passages() {
        for (let i = 0; i < 2100; i++) yield { passageId: `p${i}`, title: '', text: 'a' };
      },
      queries: async () => Array.from({ length: 230 }, (_, i) => ({ queryId: `q${i}`, text: 'b' })),
      qrels: async () => [1, 1999, 2000].map((i) => ({ queryId: 'q1', passageId: `p${i}`, relevance: 1 })),
    };
    const cut = await partOf(many);
    assert.deepEqual([cut.passages.length, cut.dataset.passageCount], [2000, 2000]);
    assert.deepEqual([(await cut.dataset.queries('test')).length, cut.whole.queries.test], [200, 230]);
    assert.deepEqual(
      (await cut.dataset.qrels('test')).map(({ passageId }) => passageId),
      ['p1', 'p1999'],
    );
  } finally {
    await close();
  }
});

test('work is repeated for 0.7 s, at most twenty times, at least thrice unless that takes 5 s; compiling is apart', async () => {
  const repeated = async (first: number, others: number) => {
    let calls = 0;
    const found = await timed(async () => {
      seconds += calls++ === 0 ? first : others;
    });
    assert.equal(calls, found.times + 1);
    return [found.times, Number(found.seconds.toFixed(9)), Number(found.startSeconds.toFixed(9))];
  };
  // Halves and quarters, which a double adds up exactly.
  assert.deepEqual(await repeated(10, 0.25), [3, 0.25, 9.75]);
  assert.deepEqual(await repeated(1, 0.125), [6, 0.125, 0.875]);
  assert.deepEqual(await repeated(1, 2 ** -6), [20, 2 ** -6, 1 - 2 ** -6]);
  assert.deepEqual(await repeated(3, 2), [3, 2, 1]);
  assert.deepEqual(await repeated(8, 2.5), [2, 2.5, 5.5]);
  assert.deepEqual(await repeated(9, 5), [1, 5, 4]);
  assert.deepEqual(await repeated(1, 4), [2, 4, 0]);
});

test('so many texts are affordable as a hundred thousand million operations allow, one at least', () => {
  const model = (...parameters: [string, ...number[]][]) =>
    ({ encoder: { parameters: parameters.map(([name, ...shape]) => ({ name, shape })) } }) as never;
  const layers = model(['query.weight', 1000, 500], ['key.weight', 500, 1000], ['bias', 1000]);
  // A million multiplied numbers: 2 operations each, by token.
  assert.equal(affordable(layers, 1, 50), 1000);
  assert.equal(affordable(layers, 3, 50), 333);
  assert.equal(affordable(layers, 1, 1e6), 1);
  const looked = model(
    ['word_embeddings.weight', 1000, 1000],
    ['shared.weight', 9, 9],
    ['dense', 1000, 1000],
  );
  assert.equal(affordable(looked, 1, 50), 1000);
});

test('passages, queries and searches are timed by the programs that they run, in proportion to what they were of', async () => {
  const { part, model, config, engine, close } = await opened('dual-encoder', 'search.batchSize=5');
  try {
    const rates = async (more: Partial<PartOfDataset['whole']>, passages = part.passages) =>
      denseRates(
        { ...part, passages, whole: { ...part.whole, ...more } },
        model,
        config,
        engine,
        path.join(root, `index-${seconds}`),
      );
    const few = await rates({});
    assert.deepEqual([few.encoded, few.searched, few.indexed], [30, 5, 30]);
    // One program for the texts, one for a batch of queries, one for one of them, one for a search.
    const each = few.secondsPerPassage * 30;
    assert.equal(Math.round(each * 1e6) / 1e6, Math.round(each), `${each} programs`);
    assert.ok(each >= 1);
    const near = (actual: number, expected: number) =>
      assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);
    near(few.encodeQuery.alone, 1);
    near(few.encodeQuery.inBatch, 1 / 5);
    near(few.searchPassage.alone, 1 / 30);
    near(few.searchPassage.inBatch, 1 / 5 / 30);
    assert.ok(few.startSeconds >= 30 && few.startSeconds % 10 === 0, `${few.startSeconds} s of compiling`);
    // Whole rounds of what was encoded, one at least; and no more than four million numbers.
    assert.equal((await rates({ passages: 29 })).indexed, 30);
    assert.equal((await rates({ passages: 119 })).indexed, 90);
    assert.equal((await rates({ passages: 120 })).indexed, 120);
    const many = Array.from({ length: 1100 }, (_, i) => part.passages[i % 30]!);
    const much = await rates({ passages: 1e9 }, many);
    assert.deepEqual([much.encoded, much.indexed], [1024, 1024 * Math.floor(4e6 / (1024 * 8))]);
  } finally {
    await close();
  }
});

test('a training step, an update and an evaluation are timed by the programs that they run', async () => {
  const set = ['train.epochs=2', 'train.batchSize=3', 'train.negatives=1', 'train.averageRankFrom=1'];
  const { part, setup, config, engine, close } = await opened('dual-encoder', ...set);
  const near = (actual: number, expected: number) =>
    assert.ok(Math.abs(actual - expected) < 1e-9, `${actual}, not ${expected}`);
  try {
    const rates = (await trainRates(part, setup, config, engine))!;
    // 256 texts: a query, its positive and a negative each.
    assert.deepEqual([rates.batchSize, rates.devExamples, rates.steps], [3, 85, 3]);
    near(rates.secondsPerQuery, 1 / 3);
    // On a processor an update is no program.
    assert.equal(rates.secondsPerUpdate, 0);
    assert.ok(
      rates.startSeconds >= 10 && rates.startSeconds % 10 === 0,
      `${rates.startSeconds} s of compiling`,
    );
    const { crossEntropy, averageRank } = rates.secondsPerDevExample;
    assert.ok(averageRank > crossEntropy, 'ranks take what the entropy does, and more');
    for (const perExample of Object.values(rates.secondsPerDevExample)) {
      const programs = perExample * 85;
      assert.ok(programs >= 1 && Math.abs(programs - Math.round(programs)) < 1e-9, `${programs} programs`);
    }
    const none = { ...part, dataset: { ...part.dataset, queries: async () => [] } };
    assert.equal(await trainRates(none, setup, config, engine), undefined);
  } finally {
    await close();
  }
});
