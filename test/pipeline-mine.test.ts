/** What becomes of a model's hits when negatives are mined from them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import squad from '../datasets/squad.js';
import type { Dataset, Passage } from '../harness/contracts.js';
import { readNegatives } from '../harness/interchange/negatives.js';
import type { MinedNegatives } from '../harness/pipeline/mine.js';
import type { EncodedIndex, TrainedCheckpoint } from '../harness/pipeline/one-stage.js';
import { highestScore, type PairScores } from '../harness/pipeline/score-margins.js';
import type { SearchedRun } from '../harness/pipeline/searched-run.js';
import { minedRemarks } from '../harness/pipeline/training.js';
import { silentProgress } from '../harness/progress.js';
import { examplesIn } from '../harness/stages/mine.js';
import { run } from '../harness/sweep.js';
import { json, set, stageRoot } from './stage-commands.js';
import { tinyRequest, writeTinyCollection } from './tiny-collection.js';

const texts = ['red fish', 'red  fish\n', 'Red fish', 'old fish', 'bird'];
const passages = texts.map((text, i): Passage => ({ passageId: `p${i}`, title: `title ${i}`, text }));
const dataset: Dataset = {
  name: 'beir:made',
  version: '1',
  licence: '',
  files: [],
  passageCount: passages.length,
  answerMatching: 'string',
  async *passages() {
    yield* passages;
  },
  queries: async () => [{ queryId: 'q', text: 'fish', answers: ['old'] }],
  qrels: async () => [{ queryId: 'q', passageId: 'p0', relevance: 1 }],
};

test('relevant, a copy of what is, holding an answer: no negatives, and each is counted', async () => {
  const depth = passages.length;
  const hits = {
    depth,
    ordinals: Int32Array.from([1, 0, 3, 2, 4]),
    scores: Float32Array.from([5, 4, 3, 2, 1]),
    winners: new Int32Array(depth),
    counts: Int32Array.of(depth),
  };
  const index = { identifiers: async () => ({ at: (ordinal: number) => `p${ordinal}` }) };
  const asked = { split: 'train', identicalIds: 'dropped', negatives: null } as const;
  const { negatives, facts } = await examplesIn(dataset, index, hits, asked);
  assert.deepEqual([...negatives], [['q', ['p2', 'p4']]]);
  const counts = {
    ...{ relevant: 1, copies: 1, answering: 1, identical: 0 },
    ...{ negatives: 2, positives: 1, queries: 1, without: 0 },
  };
  assert.deepEqual({ ...facts }, counts);
});

test('a negative is as far below a positive as it is asked for, whatever the sign of the score', () => {
  const both = { maxScoreRatio: 0.95, scoreMargin: 3 };
  assert.equal(highestScore(100, { ...both, scoreMargin: null }), 95);
  assert.equal(highestScore(100, { ...both, maxScoreRatio: null }), 97);
  assert.equal(highestScore(100, both), 95, 'both must hold');
  assert.equal(highestScore(20, both), 17);
  // 0.95 of -100 would lie above it.
  assert.equal(highestScore(-100, { ...both, scoreMargin: null }), -105);
  assert.equal(highestScore(-100, both), -105);
  assert.equal(highestScore(0, { ...both, scoreMargin: null }), 0);
});

test('hits that score too close to a positive are counted, and the worst of several positives sets the limit', async () => {
  const graded: Dataset = {
    ...dataset,
    trainsOn: 'each-positive',
    queries: async () => ['q', 'r', 's'].map((queryId) => ({ queryId, text: 'fish' })),
    qrels: async () => [
      { queryId: 'q', passageId: 'p0', relevance: 1 },
      { queryId: 'q', passageId: 'p4', relevance: 1 },
      { queryId: 'r', passageId: 'p3', relevance: 1 },
    ],
  };
  const { answerMatching: _, ...judged } = graded;
  // p0 is the best hit of q, and p4 none of its hits; r's positive scores below 0; s has none.
  const hits = {
    depth: 3,
    ordinals: Int32Array.from([0, 2, 3, 3, 2, 4, 2, 3, 4]),
    scores: Float32Array.from([10, 8, 7.5, -2, -2.05, -2.5, 3, 2, 1]),
    winners: new Int32Array(9),
    counts: Int32Array.of(3, 3, 3),
  };
  const index = { identifiers: async () => ({ at: (ordinal: number) => `p${ordinal}` }) };
  const asked: [string, number[]][] = [];
  const scores: PairScores = async (pairs, take) => {
    for (const [id, queries] of pairs) asked.push([id, [...queries]]);
    take(0, 8);
  };
  const mining = { split: 'train', identicalIds: 'kept', negatives: null } as const;
  const margins = { maxScoreRatio: 0.95, scoreMargin: null };
  const { negatives, facts } = await examplesIn(judged, index, hits, { ...mining, margins }, scores);
  assert.deepEqual(asked, [['p4', [0]]]);
  // q: 8 > 7.6 goes, 7.5 stays. r: at most -2.1. s: nothing to hold them against.
  assert.deepEqual(Object.fromEntries(negatives), { q: ['p3'], r: ['p4'], s: ['p2', 'p3', 'p4'] });
  assert.deepEqual([facts.tooClose, facts.withoutLimit, facts.negatives], [2, 1, 5]);
  assert.match(minedRemarks(facts).join('\n'), /^2 of 7 mined hits[^\n]+\n1 query has no positive/);
  const one = await examplesIn(judged, index, hits, { ...mining, negatives: 1, margins }, scores);
  assert.deepEqual(one.negatives.get('s'), ['p2'], 'the count is of what is left');
  const plain = await examplesIn(judged, index, hits, mining);
  assert.equal(plain.facts.negatives, 7);
  assert.equal('tooClose' in plain.facts, false);
});

test('bench mine leaves out what a reader of the scores would, found among the hits or not', async () => {
  const root = await stageRoot();
  try {
    const data = [
      '--dataset',
      'squad',
      '--data',
      path.join(root, 'data'),
      '--cache',
      path.join(root, 'cache'),
      ...set,
    ];
    const untrained = ['--set', 'train.epochs=0'];
    const { checkpoint } = await json<TrainedCheckpoint>('train', '--arch', 'mlr', ...data, ...untrained);
    const { index } = await json<EncodedIndex>('encode', '--checkpoint', checkpoint, ...data);
    const everything = [
      '--index',
      index,
      '--split',
      'train',
      '--set',
      'search.depth=44',
      '--run',
      path.join(root, 'all.run'),
    ];
    const { run } = await json<SearchedRun>('search', '--checkpoint', checkpoint, ...data, ...everything);
    const scored = new Map<string, number>();
    for (const line of (await readFile(run, 'utf8')).trim().split('\n')) {
      const [queryId, , passageId, , score] = line.split(' ');
      scored.set(`${queryId} ${passageId}`, Number(score));
    }
    const mined = async (file: string, ...settings: string[]) => {
      const asked = ['--checkpoint', checkpoint, '--depth', '8', '--out', path.join(root, file), ...settings];
      const { counts } = await json<MinedNegatives>('mine', ...asked, ...data);
      return { counts, ...(await readNegatives(path.join(root, file))) };
    };
    const all = await mined('all.tsv');
    const apart = await mined(
      'apart.tsv',
      '--set',
      'stage2.maxScoreRatio=0.98',
      '--set',
      'stage2.scoreMargin=0.1',
    );
    const folder = path.join(root, 'data');
    const opened = await squad.open({ folder, fetch: () => Promise.reject(new Error('a folder was given')) });
    const judged = new Map(
      (await opened.qrels('train')).map(({ queryId, passageId }) => [queryId, passageId]),
    );
    let [dropped, elsewhere] = [0, 0];
    for (const [queryId, ids] of all.negatives) {
      const [own] = all.positives!.get(queryId)!;
      if (own === undefined) elsewhere++;
      const positive = scored.get(`${queryId} ${own ?? judged.get(queryId)}`)!;
      const limit = Math.min(0.98 * positive, positive - 0.1);
      const kept = ids.filter((id) => scored.get(`${queryId} ${id}`)! <= limit);
      assert.deepEqual(apart.negatives.get(queryId), kept, queryId);
      dropped += ids.length - kept.length;
    }
    assert.ok(dropped > 20 && elsewhere > 0, `${dropped} dropped, ${elsewhere} positives beyond the hits`);
    assert.equal(apart.counts.tooClose, dropped);
    assert.deepEqual(apart.positives, all.positives);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test('two stages say what mining left out, in the record too', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'strata-margins-'));
  try {
    await writeTinyCollection(path.join(root, 'data'));
    const settings = [
      'stages=2',
      'train.epochs=1',
      'train.batchSize=2',
      'stage2.depth=10',
      'stage2.epochs=1',
    ];
    const made = async (...more: string[]) =>
      await run(tinyRequest(root, 'dual-encoder', 1, ...settings, ...more), silentProgress());
    const [usual, strict] = [await made(), await made('stage2.maxScoreRatio=0.5')];
    const [before, after] = [usual.training!.mined!, strict.training!.mined!];
    assert.equal(before.tooClose, undefined);
    assert.ok(after.tooClose! > 0, JSON.stringify(after));
    assert.equal(after.negatives! + after.tooClose!, before.negatives);
    const told = `${after.tooClose} of ${before.negatives} mined hits score too close to a positive of their query and are no negatives`;
    assert.ok(strict.warnings.includes(told), strict.warnings.join('\n'));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});
