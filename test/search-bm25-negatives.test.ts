/** BM25 negatives: what of a query's best hits is none, and what is told while they are sought. */
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import type { Dataset, Passage, Qrel, Query } from '../harness/contracts.js';
import { openBm25Index } from '../harness/index/bm25-index.js';
import { writeBm25Index } from '../harness/index/bm25-writer.js';
import { Bm25Searcher } from '../harness/search/bm25.js';
import { bm25Negatives } from '../harness/search/bm25-negatives.js';
import { EnglishAnalyzer } from '../harness/text/english-analyzer.js';
import { streamed } from './made-passages.js';
import { removeClosed } from './open-files.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-bm25-negatives-'));
});
after(() => removeClosed(root));

async function indexOf(name: string, passages: AsyncIterable<Passage>) {
  const folder = path.join(root, name);
  const analyzer = await EnglishAnalyzer.open({ stemmer: 'none', stopWords: false });
  await writeBm25Index({ passages, analyzer, folder });
  return openBm25Index(folder, 2 ** 28);
}

/** A dataset of a few passages, as far as mining looks at it. */
function small(answerMatching: 'string' | undefined, ...more: string[]): Dataset {
  const texts = ['red fish', 'blue fish', 'fish fish', 'old fish', 'bird', ...more];
  const all = texts.map((text, i): Passage => ({ passageId: `d${i}`, title: '', text }));
  const asked: Query[] = [
    { queryId: 'a', text: 'fish', ...(answerMatching && { answers: ['old'] }) },
    { queryId: 'b', text: 'unheard', ...(answerMatching && { answers: [] }) },
  ];
  const judged: Qrel[] = [
    { queryId: 'a', passageId: 'd0', relevance: 1 },
    { queryId: 'a', passageId: 'd1', relevance: 0 },
  ];
  return {
    name: 'small',
    version: '1',
    licence: '',
    files: [],
    passageCount: all.length,
    ...(answerMatching && { answerMatching }),
    passages: () => streamed(all),
    queries: async () => asked,
    qrels: async () => judged,
  };
}

test('negatives: the best hits that are not relevant and hold no answer', async () => {
  const index = await indexOf('negatives', small(undefined).passages());
  const searcher = await Bm25Searcher.open(index);
  const options = { count: 2, depth: 10 };
  assert.deepEqual(await bm25Negatives(small(undefined), 'train', searcher, options), {
    negatives: new Map([
      ['a', ['d2', 'd1']],
      ['b', []],
    ]),
    relevant: 1,
    answering: 0,
    copies: 0,
    tooFew: 1,
  });
  // As many as are wanted are not too few.
  const exactly = await bm25Negatives(small(undefined), 'train', searcher, { ...options, count: 3 });
  assert.deepEqual([exactly.negatives.get('a'), exactly.tooFew], [['d2', 'd1', 'd3'], 1]);
  assert.deepEqual(await bm25Negatives(small('string'), 'train', searcher, { ...options, count: 3 }), {
    negatives: new Map([
      ['a', ['d2', 'd1']],
      ['b', []],
    ]),
    relevant: 1,
    answering: 1,
    copies: 0,
    tooFew: 2,
  });
  await index.close();
});

test('negatives: a positive word for word under another id is none, and is counted', async () => {
  const dataset = small('string', ' red\tfish ', 'red  fish', 'Red fish');
  const index = await indexOf('copies', dataset.passages());
  const searcher = await Bm25Searcher.open(index);
  const found = await bm25Negatives(dataset, 'train', searcher, { count: 10, depth: 10 });
  const { copies, relevant, answering } = found;
  // Another case is another text: it may be a name.
  assert.deepEqual([...found.negatives.get('a')!].sort(), ['d1', 'd2', 'd7']);
  assert.deepEqual({ copies, relevant, answering }, { copies: 2, relevant: 1, answering: 1 });
  await index.close();
  // The same where a copy is the first passage of all.
  const all: Passage[] = [];
  for await (const passage of dataset.passages()) all.push(passage);
  const turned = { ...dataset, passages: () => streamed(all.toReversed()) };
  const other = await indexOf('turned-copies', turned.passages());
  const again = await bm25Negatives(turned, 'train', await Bm25Searcher.open(other), {
    count: 10,
    depth: 10,
  });
  assert.deepEqual([...again.negatives.get('a')!].sort(), ['d1', 'd2', 'd7']);
  assert.equal(again.copies, 2);
  await other.close();
});

test('negatives: it is told how many queries are done, every hundred and at the end', async () => {
  const dataset = small(undefined);
  const [query] = await dataset.queries('train');
  const many = Array.from({ length: 250 }, (_, i) => ({ ...query!, queryId: `${i}` }));
  const index = await indexOf('progress', dataset.passages());
  const told: number[] = [];
  const onProgress = (queries: number) => told.push(queries);
  const asked = { ...dataset, queries: async () => many };
  await bm25Negatives(asked, 'train', await Bm25Searcher.open(index), { count: 1, depth: 2, onProgress });
  assert.deepEqual(told, [100, 200, 250]);
  await index.close();
});
