/** A large index is searched by spans of shards, and its hits are those of all shards together. */
import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { openIndex, type VectorIndex } from '../harness/index/vector-index.js';
import { adoptPiece } from '../harness/pipeline/hit-pieces.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { withoutOwnPassages } from '../harness/pipeline/own-passages.js';
import { describeSearchers } from '../harness/pipeline/searchers.js';
import { mergeSpans, spanFolder, spansOf } from '../harness/pipeline/span-search.js';
import { loadSearcher } from '../harness/plugins/searchers.js';
import { stream } from '../harness/random.js';
import { openEngine } from '../harness/tensor/engines.js';
import { makeIndex, normalRows, type Rows, temporaryFolder, wholeNumberRows } from './made-index.js';
import { Spans } from './span-searches.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const ample = 1 << 28;
const dimensions = 8;

const random = stream(7, 'spans');
/** By passage. */
const countsOf: Record<string, readonly number[]> = {
  'M = 1': Array<number>(95).fill(1),
  'M = 4': Array<number>(95).fill(4),
  // The second of three spans holds passages without vectors alone.
  'M varies': Array.from({ length: 95 }, (_, i) => (i >= 40 && i < 80 ? 0 : random.integer(9))),
};
const searchers: string[] = [];
for (const { name, available } of await describeSearchers())
  if (available && (await loadSearcher(name)).open !== undefined) searchers.push(name);

for (const name of searchers) {
  for (const [kind, counts] of Object.entries(countsOf)) {
    test(`${name}, ${kind}: spans find what one search finds, ties across their borders too`, async (t) => {
      const rows = counts.reduce((sum, count) => sum + count, 0);
      const fixed = counts.every((count) => count === counts[0]) ? counts[0] : undefined;
      const folder = await temporaryFolder(t);
      // 19 shards of 5 passages: spans of 8, 8 and 3. Sums of whole numbers are the same in any order.
      const index = await makeIndex(folder, wholeNumberRows(rows, dimensions, kind), fixed ?? counts, 19);
      t.after(() => index.close());
      const queries = wholeNumberRows(9, dimensions, 'queries');
      const whole = await openSearcher(name, index, { engine, memoryBytes: ample });
      t.after(() => whole.dispose());
      const cases = [
        [1, ample],
        // Read from the disk by every search.
        [10, 5000],
        // More than a span has, and more than there are.
        [60, ample],
        [1000, ample],
      ] as const;
      for (const [depth, memoryBytes] of cases) {
        const found = await whole.search(queries.values, 9, depth);
        const options = { batchSize: 5, depth, identicalIds: 'kept' } as const;
        const into = await temporaryFolder(t);
        const { hits } = await new Spans(engine, into, index, queries, options, name, memoryBytes).whole();
        assert.deepEqual(hits, found, `depth ${depth}`);
      }
    });
  }
}

/** Not whole numbers, of length 1: 19 shards of 9 passages with two vectors each. */
async function cosineIndex(t: TestContext): Promise<VectorIndex> {
  const rows = normalRows(342, dimensions, 'cosines');
  for (let row = 0; row < 342; row++) {
    const own = rows.values.subarray(row * dimensions, (row + 1) * dimensions);
    const length = Math.hypot(...own);
    for (let d = 0; d < dimensions; d++) own[d]! /= length;
  }
  const index = await makeIndex(await temporaryFolder(t), rows, 2, 19);
  t.after(() => index.close());
  return index;
}
const options = { batchSize: 7, depth: 12, identicalIds: 'kept' } as const;
const queries = normalRows(20, dimensions, 'queries');

test('cosines of spans are those of the whole to rounding, in the same order', async (t) => {
  const index = await cosineIndex(t);
  const whole = await openSearcher('exact', index, { engine, memoryBytes: ample });
  t.after(() => whole.dispose());
  const { ordinals, scores, winners, counts } = await whole.search(queries.values, 20, 12);
  const { hits } = await new Spans(engine, await temporaryFolder(t), index, queries, options).whole();
  assert.deepEqual([hits.ordinals, hits.winners, hits.counts], [ordinals, winners, counts]);
  for (const [i, score] of hits.scores.entries()) assert.ok(Math.abs(score - scores[i]!) < 1e-6, `${i}`);
});

test('a passage that is the query itself is dropped behind the merge, and another takes its place', async (t) => {
  const index = await cosineIndex(t);
  const whole = await openSearcher('exact', index, { engine, memoryBytes: ample });
  t.after(() => whole.dispose());
  // Query q is passage q, by its own first vector.
  const own: Rows = { dimensions, values: new Float32Array(20 * dimensions) };
  for (let q = 0; q < 20; q++)
    await index.readRows(2 * q, 1, own.values.subarray(q * dimensions, (q + 1) * dimensions));
  const spans = new Spans(engine, await temporaryFolder(t), index, own, {
    ...options,
    identicalIds: 'dropped',
  });
  const { hits } = await spans.whole();
  const found = await whole.search(own.values, 20, 13);
  const expected = withoutOwnPassages(found, spans.asked.queries, await index.identifiers(), 12);
  assert.deepEqual(
    [hits.ordinals, hits.winners, hits.counts],
    [expected.ordinals, expected.winners, expected.counts],
  );
  assert.ok(hits.counts.every((count) => count === 12));
});

test('pieces that others made, in any order, are taken as they are, and leave the same bytes', async (t) => {
  const index = await cosineIndex(t);
  const [here, there] = [await temporaryFolder(t), await temporaryFolder(t)];
  await new Spans(engine, here, index, queries, options).whole();
  const shared = new Spans(engine, there, index, queries, options);
  for (const number of [2, 0, 1]) {
    const own = await temporaryFolder(t);
    await new Spans(engine, own, index, queries, options).piece(own, number);
    await adoptPiece(own, spanFolder(there, shared.spans[number]!));
  }
  await shared.whole();
  assert.deepEqual(shared.opened, []);
  const files = (await readdir(here)).filter((name) => name !== 'unfinished');
  assert.equal(files.length, 4);
  for (const file of files)
    assert.deepEqual(await readFile(path.join(there, file)), await readFile(path.join(here, file)), file);
});

test('a piece that is not as it was left, or of another search, is made again, and no other', async (t) => {
  const index = await cosineIndex(t);
  const folder = await temporaryFolder(t);
  const { hits } = await new Spans(engine, folder, index, queries, options).whole();
  const again = new Spans(engine, folder, index, queries, options);
  const [first, second, third] = again.spans.map((span) => spanFolder(folder, span));
  await appendFile(path.join(first!, 'scores.f32'), 'more');
  const facts = path.join(third!, 'piece.json');
  const text = await readFile(facts, 'utf8');
  await writeFile(facts, text.replace('"depth": 12', '"depth": 11').replace('"depth":12', '"depth":11'));
  assert.deepEqual((await again.whole()).hits, hits);
  assert.deepEqual(again.opened, [0, 2]);
  assert.equal(again.notes.length, 2);
  assert.match(again.notes[0]!, /scores\.f32 holds other bytes than those written\. .*searched for again/);
  assert.match(again.notes[1]!, /piece\.json is not as it was written/);
  // As if it were of other shards.
  await adoptPiece(first!, second!);
  const swapped = new Spans(engine, folder, index, queries, options);
  assert.deepEqual((await swapped.whole()).hits, hits);
  assert.deepEqual(swapped.opened, [1]);
});

test('seconds are added up where all spans were searched under the same conditions', async (t) => {
  const index = await cosineIndex(t);
  const spans = new Spans(engine, await temporaryFolder(t), index, queries, options);
  const { facts } = await spans.whole();
  assert.equal(facts.execution.buildSeconds, 3);
  assert.equal(facts.execution.conditions?.threads, 2);
  assert.equal(facts.searcher, 'exact');
  const pieces = [];
  for (const [number, span] of spans.spans.entries()) {
    const own = await spans.piece(spanFolder(spans.folder, span), number);
    const { conditions } = own.execution;
    const elsewhere = number === 1 ? { ...conditions, threads: 3 } : conditions;
    const execution = { ...own.execution, conditions: elsewhere };
    pieces.push({ folder: spanFolder(spans.folder, span), facts: { ...own, execution } });
  }
  const mixed = await mergeSpans(
    ...([await temporaryFolder(t), pieces, index.passages, () => index.identifiers(), spans.asked] as const),
  );
  assert.equal(mixed.execution.conditions, undefined);
});

test('an index is cut by its shards alone, and a small one is not', () => {
  assert.equal(spansOf(8), undefined);
  assert.deepEqual(spansOf(9), [
    { first: 0, end: 8 },
    { first: 8, end: 9 },
  ]);
  // Wikipedia in shards of 100,000.
  const spans = spansOf(211)!;
  assert.equal(spans.length, 27);
  assert.deepEqual(spans.at(-1), { first: 208, end: 211 });
});

test('some of the shards are an index by themselves, and shards that are not there are refused', async (t) => {
  const index = await cosineIndex(t);
  const span = await openIndex(index.folder, { first: 8, end: 16 });
  t.after(() => span.close());
  assert.deepEqual([span.passages, span.vectors, span.shards.length], [72, 144, 8]);
  assert.deepEqual([span.passageOf(0), span.passageOf(143), span.firstRowOf(71)], [0, 71, 142]);
  const [part, whole] = [new Float32Array(2 * dimensions), new Float32Array(2 * dimensions)];
  await span.readRows(142, 2, part);
  await index.readRows(286, 2, whole);
  assert.deepEqual(part, whole);
  for (const wrong of [
    { first: 18, end: 20 },
    { first: -1, end: 2 },
    { first: 3, end: 3 },
  ])
    await assert.rejects(openIndex(index.folder, wrong), RangeError);
});
