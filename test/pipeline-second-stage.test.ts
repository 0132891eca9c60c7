/**
 * What a second stage trains on, example by example, beside a simple reading of the paper (section 4.3.2, appendix D) over
 * the same hits: the original set, and behind it the mined one.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadConfig } from '../harness/config/config.js';
import type { Passage } from '../harness/contracts.js';
import { chooseNegatives } from '../harness/pipeline/negative-sources.js';
import type { EncodedIndex, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import { prepare } from '../harness/pipeline/prepare.js';
import type { SearchedRun } from '../harness/pipeline/searched-run.js';
import { StageLog } from '../harness/pipeline/stage-log.js';
import { silentProgress } from '../harness/progress.js';
import { knownOf } from '../harness/stages/known.js';
import { Workbench } from '../harness/stages/workbench.js';
import { trainingExamples } from '../harness/train/examples.js';
import { type MadeContext, type MadeQuestion, writeMadeDpr } from './made-dpr.js';
import { bench, json, set } from './stage-commands.js';

const depth = 20;
const pool = 3;

/** A question with the passage it is trained towards and those that its negatives are drawn from. */
interface Expected {
  question: string;
  positive: string;
  negatives: string[];
}

let root: string;
let made: Awaited<ReturnType<typeof writeMadeDpr>>;
/** Ids of each question's hits, best first, as another tool reads them. */
let hits: Map<string, string[]>;
const at = (...names: string[]) => path.join(root, ...names);
const data = () => ['--dataset', 'dpr/nq', '--data', at('data'), '--cache', at('cache'), ...set];

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-second-stage-'));
  await mkdir(at('data'));
  made = await writeMadeDpr(at('data'));
  const once = ['--set', 'train.epochs=0'];
  const { checkpoint } = await json<TrainedCheckpoint>('train', '--arch', 'mlr', ...data(), ...once);
  const { index } = await json<EncodedIndex>('encode', '--checkpoint', checkpoint, ...data());
  const { run } = await json<SearchedRun>(
    'search',
    ...['--checkpoint', checkpoint, '--index', index, '--split', 'train', ...data()],
    ...['--set', `search.depth=${depth}`, '--run', at('train.run.gz')],
  );
  hits = new Map();
  for (const line of gunzipSync(await readFile(run))
    .toString()
    .trim()
    .split('\n')) {
    const [queryId, , passageId] = line.split(' ');
    hits.set(queryId!, [...(hits.get(queryId!) ?? []), passageId!]);
  }
  const asked = ['--set', `stage2.depth=${depth}`, '--out', at('mined.tsv.gz')];
  await bench('mine', '--checkpoint', checkpoint, ...data(), ...asked);
});
after(() => rm(root, { recursive: true, force: true }));

/** The original training set: every question that has a positive, with BM25's negatives. */
function original(): Expected[] {
  return made.train
    .filter(({ positive_ctxs }) => positive_ctxs.length > 0)
    .map(({ question, positive_ctxs, hard_negative_ctxs, negative_ctxs }) => ({
      question,
      positive: positive_ctxs[0]!.passage_id,
      negatives: (hard_negative_ctxs.length > 0 ? hard_negative_ctxs : negative_ctxs)
        .map(({ passage_id }) => passage_id)
        .slice(0, pool),
    }));
}

/** The mined one: every question, its best hit with the answer as positive, the best ones without as negatives. */
function mined(): Expected[] {
  const texts = new Map(made.passages.map(({ passage_id, text }) => [passage_id, text]));
  return made.train.flatMap(({ question, answers: [answer] }, i) => {
    const found = hits.get(`train-${i}`)!;
    const isAnswer = (id: string) => texts.get(id)!.split(' ').includes(answer!);
    const positive = found.find(isAnswer);
    if (positive === undefined) return [];
    return [{ question, positive, negatives: found.filter((id) => !isAnswer(id)).slice(0, pool) }];
  });
}

/** What is trained on in fact; texts are their ids. */
async function actual(names: readonly string[], ...more: string[]) {
  const settings = [`train.negativePool=${pool}`, `cache=${at('cache')}`, ...more];
  const config = loadConfig({ cwd: root, set: settings });
  const request = { dataset: 'dpr/nq', data: at('data'), offline: true, config };
  const prepared = await prepare(request, silentProgress());
  const queries: string[] = [];
  const keys: string[] = [];
  const number = (list: string[], item: string) => {
    if (!list.includes(item)) list.push(item);
    return Int32Array.of(list.indexOf(item));
  };
  const bench = new Workbench(prepared, silentProgress(), new StageLog(prepared.store));
  const known = await knownOf(bench);
  const sources = await (await chooseNegatives(config, known, names)).of('train', bench);
  const tokenizer = {
    query: (text: string) => number(queries, text),
    passage: ({ passageId }: Passage) => number(keys, passageId),
  };
  const { examples, counts } = await trainingExamples(
    prepared.dataset,
    'train',
    tokenizer,
    config.train,
    sources,
  );
  const taken = examples.map(
    ({ query, positive, negatives }): Expected => ({
      question: queries[query[0]!]!,
      positive: keys[positive[0]!]!,
      negatives: negatives.map(([token]) => keys[token!]!),
    }),
  );
  return { taken, counts, examples };
}

test('the made set has what the rules are about', () => {
  const [first, second] = [original(), mined()];
  const [inFirst, inSecond] = [first, second].map((list) => new Set(list.map(({ question }) => question)));
  const some = (what: string, is: boolean) => assert.ok(is, what);
  some(
    'a question without an original positive that is mined for',
    [...inSecond!].some((q) => !inFirst!.has(q)),
  );
  some(
    'one whose hits hold no answer',
    [...inFirst!].some((q) => !inSecond!.has(q)),
  );
  some(
    'one with two different positives',
    second.some(({ question, positive }) =>
      first.some((each) => each.question === question && each.positive !== positive),
    ),
  );
  some(
    'one with no negatives',
    first.some(({ negatives }) => negatives.length === 0),
  );
  some(
    'a positive that is not the first hit',
    made.train.some((_, i) => {
      const own = second.find(({ question }) => question === made.train[i]!.question);
      return own !== undefined && own.positive !== hits.get(`train-${i}`)![0];
    }),
  );
});

test('a second stage trains on the original set and, behind it, on the mined one', async () => {
  const { taken, counts, examples } = await actual(['dataset', at('mined.tsv.gz')]);
  const [first, second] = [original(), mined()];
  assert.deepEqual(taken, [...first, ...second]);
  assert.equal(counts.added, second.length);
  assert.equal(counts.withoutAddedPositive, made.train.length - second.length);
  assert.equal(counts.withoutPositive, made.train.length - first.length);
  const questions = new Set([...first, ...second].map(({ question }) => question));
  assert.equal(counts.queries, questions.size);
  // Either example of a question knows the positive of the other.
  for (const [i, { judged }] of examples.entries()) {
    const own = taken.flatMap(({ question }, j) =>
      question === taken[i]!.question ? [examples[j]!.judged!.positive] : [],
    );
    assert.deepEqual(new Set(own), judged!.relevant);
  }
});

test('it may train on the mined set alone, or on the original one with negatives of both', async () => {
  const mine = at('mined.tsv.gz');
  assert.deepEqual((await actual([mine])).taken, mined());
  const merged = await actual(['dataset', mine], 'stage2.examples=merged');
  const negatives = new Map(
    made.train.map(({ question, answers: [answer], positive_ctxs }, i) => {
      const relevant = new Set(positive_ctxs.map(({ passage_id }) => passage_id));
      const texts = new Map(made.passages.map(({ passage_id, text }) => [passage_id, text]));
      const usable = hits.get(`train-${i}`)!.filter((id) => !texts.get(id)!.split(' ').includes(answer!));
      return [question, usable.filter((id) => !relevant.has(id)).slice(0, pool)];
    }),
  );
  assert.deepEqual(
    merged.taken,
    original().map((each) => ({
      ...each,
      negatives: [...new Set([...each.negatives, ...negatives.get(each.question)!])],
    })),
  );
  assert.ok(!('added' in merged.counts));
});

test('a whole training file of DPR adds its questions, by their texts alone', async () => {
  const without = ({ title, text }: MadeContext) => ({ title, text });
  // As DPR's own file of mined negatives: other negatives are not listed.
  const file: Partial<MadeQuestion>[] = made.train.map((each) => ({
    question: each.question,
    answers: each.answers,
    positive_ctxs: each.positive_ctxs.map(without) as MadeContext[],
    hard_negative_ctxs: made.passages.slice(0, 5).map(without) as MadeContext[],
  }));
  file.push({ ...file[0], question: 'of this file alone' });
  await writeFile(at('adv-hn.json'), JSON.stringify(file));
  const { taken, counts, examples } = await actual(['dataset', at('adv-hn.json')]);
  const first = original();
  const added = [...first, { ...first[0]!, question: 'of this file alone' }];
  assert.deepEqual(taken.slice(0, first.length), first);
  assert.deepEqual(
    taken.map(({ question }) => question),
    [...first, ...added].map(({ question }) => question),
  );
  assert.deepEqual([counts.added, counts.queries], [added.length, first.length + 1]);
  // Told of queries, not of examples: a question of both sets is one.
  assert.ok(counts.shortPools <= counts.queries!);
  for (const [i, each] of taken.slice(first.length).entries()) {
    assert.match(each.positive, /^text /);
    assert.ok(each.negatives.length >= pool - 1 && !each.negatives.includes(each.positive));
    // The same question of the dataset: its positive is no negative here, nor the other way round.
    if (i < first.length)
      assert.equal(examples[i]!.judged!.relevant, examples[first.length + i]!.judged!.relevant);
  }
  await writeFile(at('broken.json'), '[{"question": "x", "answers": [], "positive_ctxs": []}]');
  await assert.rejects(actual([at('broken.json')]), {
    code: 'DATA_INVALID',
    message: /broken.json, line 1, element 1: hard_negative_ctxs is missing/,
  });
});

test('a run in two stages takes as many steps as both sets fill, and its record says what they were', async () => {
  const record = await json<{
    training: {
      epochs: { steps: number }[];
      firstStage: { epochs: { steps: number }[] };
      examples: { train: Record<string, number> };
    };
  }>(
    'run',
    ...['--arch', 'dual-encoder', '--stages', '2', ...data(), '--set', `stage2.depth=${depth}`],
    ...['--set', 'measures=answer@5', '--set', 'train.batchSize=8', '--set', 'latency.queries=0'],
    ...['--set', 'train.epochs=1', '--out', at('out')],
  );
  const { epochs, firstStage, examples } = record.training;
  const { train } = examples;
  assert.equal(firstStage.epochs[0]!.steps, Math.ceil(original().length / 8));
  assert.equal(train.examples, original().length + train.added!);
  assert.equal(train.added! + train.withoutAddedPositive!, made.train.length);
  assert.equal(epochs[0]!.steps, Math.ceil(train.examples! / 8));
});
