/** BM25 against its formula worked out the long way and against published figures. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import beir from '../datasets/beir.js';
import type { Passage } from '../harness/contracts.js';
import { BenchError } from '../harness/errors.js';
import { openBm25Index } from '../harness/index/bm25-index.js';
import { writeBm25Index } from '../harness/index/bm25-writer.js';
import { evaluate } from '../harness/metrics/evaluate.js';
import { parseMeasures } from '../harness/plugins/measures.js';
import { Bm25Searcher, luceneLength, usualBm25 } from '../harness/search/bm25.js';
import { type AnalyzerOptions, EnglishAnalyzer } from '../harness/text/english-analyzer.js';
import { openFolder } from './datasets-folder.js';
import { drawnPassages, streamed } from './made-passages.js';
import { removeClosed } from './open-files.js';
import { sharedData } from './places.js';

let root: string;
before(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'strata-bm25-'));
});
after(() => removeClosed(root));

const plainWords: AnalyzerOptions = { stemmer: 'none', stopWords: false };

async function indexOf(name: string, passages: AsyncIterable<Passage>, options = plainWords) {
  const folder = path.join(root, name);
  await writeBm25Index({ passages, analyzer: await EnglishAnalyzer.open(options), folder });
  return openBm25Index(folder, 2 ** 28);
}

const passages = drawnPassages(400);
const queries = ['w0', 'w1 w2 w40', 'w3 w3 w3 w90', 'w299 w200', 'unheard w5', 'unheard', ''];

/** All passages that score, the long way. */
function longWay(query: string, { k1, b }: { k1: number; b: number }, lengthOf = (length: number) => length) {
  const texts = passages.map(({ title, text }) =>
    `${title} ${text}`.split(/\s+/).filter((word) => word !== ''),
  );
  const filled = texts.filter(({ length }) => length > 0);
  const mean = filled.reduce((sum, { length }) => sum + length, 0) / filled.length;
  const scored = texts.map((words, ordinal) => {
    let score = 0;
    for (const term of query.split(' ')) {
      const n = texts.filter((each) => each.includes(term)).length;
      const tf = words.filter((word) => word === term).length;
      const idf = Math.log(1 + (filled.length - n + 0.5) / (n + 0.5));
      if (tf > 0) score += (idf * tf) / (tf + k1 * (1 - b + (b * lengthOf(words.length)) / mean));
    }
    return { ordinal, score };
  });
  return scored.filter(({ score }) => score > 0).sort((a, z) => z.score - a.score || a.ordinal - z.ordinal);
}

for (const options of [
  usualBm25,
  { k1: 1.2, b: 0.75, lengths: 'lucene' },
  { k1: 0, b: 0, lengths: 'exact' },
] as const) {
  test(`scores and order are those of the formula, ${JSON.stringify(options)}`, async () => {
    const index = await indexOf(`formula-${options.k1}`, streamed(passages));
    const searcher = await Bm25Searcher.open(index, options);
    const lengthOf = options.lengths === 'lucene' ? luceneLength : undefined;
    for (const depth of [1, 10, 1000]) {
      const hits = await searcher.search(queries, depth);
      assert.equal(hits.depth, Math.min(depth, 400));
      for (const [q, query] of queries.entries()) {
        const expected = longWay(query, options, lengthOf).slice(0, depth);
        const from = q * hits.depth;
        assert.equal(hits.counts[q], expected.length, query);
        for (const [i, { score }] of expected.entries()) {
          assert.ok(Math.abs(hits.scores[from + i]! - score) <= 1e-6 * score, `${query}, rank ${i + 1}`);
          const [before, after] = [hits.scores[from + i - 1]!, hits.scores[from + i]!];
          if (i === 0) continue;
          assert.ok(before >= after);
          if (before === after) assert.ok(hits.ordinals[from + i - 1]! < hits.ordinals[from + i]!);
        }
        const listed = hits.ordinals.slice(from, from + expected.length).sort();
        if (depth === 1000)
          assert.deepEqual(
            [...listed],
            expected.map(({ ordinal }) => ordinal).sort((a, z) => a - z),
          );
      }
    }
    await index.close();
  });
}

test('searches under way together do not disturb each other, and one by one is as all at once', async () => {
  const index = await indexOf('together', streamed(passages));
  const searcher = await Bm25Searcher.open(index);
  const all = await searcher.search(queries, 20);
  const singles = await Promise.all(queries.map((query) => searcher.search([query], 20)));
  for (const [q, single] of singles.entries()) {
    assert.equal(single.counts[0], all.counts[q]);
    const from = q * 20;
    assert.deepEqual(
      [...single.ordinals.slice(0, single.counts[0])],
      [...all.ordinals.slice(from, from + all.counts[q]!)],
    );
  }
  await index.close();
});

test("lengths as Lucene's byte keeps them", () => {
  // SmallFloat.byte4ToInt(intToByte4(i)): exact to 40, then 4 significant bits of what is over 24.
  for (const [length, kept] of [
    [0, 0],
    [24, 24],
    [39, 39],
    [40, 40],
    [41, 40],
    [42, 42],
    [100, 96],
    [1000, 984],
    [2_147_483_647, 2_013_265_944],
  ] as const) {
    assert.equal(luceneLength(length), kept, String(length));
  }
});

test('k1 and b that cannot be are refused', async () => {
  const index = await indexOf('refused', streamed(passages));
  for (const wrong of [
    { k1: -1 },
    { k1: Number.NaN },
    { k1: Infinity },
    { b: -0.1 },
    { b: 1.1 },
    { b: Number.NaN },
  ]) {
    const opening = Bm25Searcher.open(index, { ...usualBm25, ...wrong });
    await assert.rejects(opening, (error) => error instanceof BenchError && error.code === 'CONFIG_INVALID');
  }
  await index.close();
});

const scifact = path.join(sharedData, 'scifact');
test('SciFact: the figures that Anserini publishes', {
  skip: !existsSync(scifact) && `no ${scifact}`,
}, async () => {
  const dataset = await openFolder(beir, scifact);
  const index = await indexOf('scifact', dataset.passages(), { stemmer: 'porter', stopWords: true });
  const identifiers = await index.identifiers();
  const asked = await dataset.queries('test');
  const qrels = new Map<string, Map<string, number>>();
  for (const { queryId, passageId, relevance } of await dataset.qrels('test')) {
    qrels.set(queryId, (qrels.get(queryId) ?? new Map()).set(passageId, relevance));
  }
  // Nothing is left to differ once lengths are kept as Lucene keeps them; with exact ones the ranking is nearly the same.
  for (const [lengths, tolerance] of [
    ['lucene', 5e-5],
    ['exact', 0.0015],
  ] as const) {
    const searcher = await Bm25Searcher.open(index, { ...usualBm25, lengths });
    const hits = await searcher.search(
      asked.map(({ text }) => text),
      1000,
    );
    const run = new Map(
      asked.map(({ queryId }, q) => {
        const ordinals = hits.ordinals.subarray(q * hits.depth, q * hits.depth + hits.counts[q]!);
        return [queryId, { passageIds: Array.from(ordinals, (ordinal) => identifiers.at(ordinal)) }];
      }),
    );
    const { measures } = evaluate(run, qrels, parseMeasures(['ndcg@10', 'recall@100']), {
      ties: 'as-ranked',
    });
    assert.ok(
      Math.abs(measures.get('ndcg@10')!.mean - 0.6789) <= tolerance,
      `${lengths} ${measures.get('ndcg@10')!.mean}`,
    );
    assert.ok(
      Math.abs(measures.get('recall@100')!.mean - 0.9253) <= tolerance,
      `${measures.get('recall@100')!.mean}`,
    );
  }
  await index.close();
});

test('passages far apart are found: a gap of three bytes between two of one word', async () => {
  // 2^14 is the first gap that takes three.
  const [rare, common] = ['rare', 'common'];
  const all = Array.from({ length: 2 ** 14 + 301 }, (_, i) => ({
    ...{ passageId: `p${i}`, title: '' },
    text: i === 0 || i === 2 ** 14 + 300 ? rare : common,
  }));
  const index = await indexOf('far', streamed(all));
  const { ordinals, counts } = await (await Bm25Searcher.open(index)).search([rare], 5);
  assert.deepEqual([...ordinals.slice(0, counts[0])], [0, 2 ** 14 + 300]);
  await index.close();
});

test('a word that stands in a passage more than 2^14 times counts as often', async () => {
  const often = 20_000;
  const texts = ['word '.repeat(often), 'word', 'other'];
  const index = await indexOf(
    'often',
    streamed(texts.map((text, i) => ({ passageId: `p${i}`, title: '', text }))),
  );
  const k1 = 10_000;
  const searcher = await Bm25Searcher.open(index, { ...usualBm25, k1, b: 0 });
  const { scores } = await searcher.search(['word'], 2);
  const expected = (often / (often + k1)) * (1 + k1);
  assert.ok(
    Math.abs(scores[0]! / scores[1]! / expected - 1) < 1e-5,
    `${scores[0]! / scores[1]!}, ${expected}`,
  );
  await index.close();
});
