/** Indexes of impacts: the lists of all postings, whatever was in memory at once, and the hits of brute force. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openImpactIndex } from '../harness/index/impact-index.js';
import { writeImpactIndex } from '../harness/index/impact-writer.js';
import { largestWeights } from '../harness/index/token-weights.js';
import { ImpactSearcher } from '../harness/search/impacts.js';
import { noHits } from '../harness/search/passage-hits.js';
import { madeWeights, pairsOf, shardsOf, tokens } from './made-impacts.js';
import { temporaryFolder } from './made-index.js';
import { assertClosed } from './open-files.js';

/** By brute force in float64, in the order of the tokens. */
function bruteForce(
  passages: readonly [number, number][][],
  query: readonly [number, number][],
  depth: number,
) {
  return passages
    .map((own, ordinal) => {
      const weights = new Map(own);
      const shared = query.filter(([token]) => weights.has(token));
      const score = Math.fround(
        shared.reduce((sum, [token, weight]) => sum + weight * weights.get(token)!, 0),
      );
      return { ordinal, score, shared: shared.length };
    })
    .filter(({ shared }) => shared > 0)
    .sort((a, b) => b.score - a.score || a.ordinal - b.ordinal)
    .slice(0, depth)
    .map(({ ordinal, score }) => [ordinal, score]);
}

test('blocks and joins of any size give the same bytes, and a search in them the products of brute force', async (t) => {
  const passages = madeWeights(2500, 'impacts');
  const queries = [...madeWeights(40, 'queries of impacts'), [[0, 1]] as [number, number][]];
  const postings = passages.flat().length;
  const folder = await temporaryFolder(t);
  const weights = await shardsOf(path.join(folder, 'shards'), passages);
  let first: Buffer[] | undefined;
  for (const [name, sizes] of Object.entries({
    usual: {},
    tiny: { blockPostings: 701, joinedBytes: 1 },
    even: { blockPostings: postings, joinedBytes: 1000 },
    one: { blockPostings: 4096, joinedBytes: 1e9 },
  })) {
    const target = path.join(folder, name);
    await mkdir(target);
    const told: number[] = [];
    const facts = await writeImpactIndex({
      weights,
      tokens,
      folder: target,
      onProgress: (done) => told.push(done),
      ...sizes,
    });
    assert.deepEqual(facts, {
      format: 'impacts 1',
      passages: 2500,
      tokens,
      postings,
      empty: passages.filter((own) => own.length === 0).length,
    });
    assert.equal(told.at(-1), 2500);
    const files = (await readdir(target)).sort();
    assert.deepEqual(files, ['gaps', 'identifiers', 'index.json', 'tokens', 'weights']);
    const bytes = await Promise.all(files.map((file) => readFile(path.join(target, file))));
    first ??= bytes;
    assert.ok(
      bytes.every((own, i) => own.equals(first![i]!)),
      name,
    );
  }
  for (const memoryBytes of [1e9, 100]) {
    const index = await openImpactIndex(path.join(folder, 'tiny'), memoryBytes);
    assert.equal(index.resident, memoryBytes === 1e9);
    assert.equal((await index.identifiers()).at(2499), 'p2499');
    const searcher = new ImpactSearcher(index);
    for (const depth of [1, 10, 5000]) {
      const found = await searcher.search(pairsOf(queries), depth);
      assert.equal(found.depth, Math.min(depth, 2500));
      for (const [q, query] of queries.entries()) {
        const from = q * found.depth;
        const hits = Array.from({ length: found.counts[q]! }, (_, i) => [
          found.ordinals[from + i],
          found.scores[from + i],
        ]);
        assert.deepEqual(hits, bruteForce(passages, query, depth), `query ${q} of ${depth}`);
      }
      // A query without weights, and one whose token no passage has, find nothing.
      assert.deepEqual([found.counts[4], found.counts[40]], [0, 0]);
    }
    // Searches that run at once do not mix.
    const both = await Promise.all([0, 1].map((q) => searcher.search(pairsOf([queries[q]!]), 10)));
    for (const [q, { ordinals, counts }] of both.entries())
      assert.deepEqual(
        [...ordinals.subarray(0, counts[0])],
        bruteForce(passages, queries[q]!, 10).map(([o]) => o),
      );
    await index.close();
  }
  await weights.close();
  await assertClosed(folder);
});

test('the largest weights of a passage alone are indexed, of equal ones those of smaller tokens', async (t) => {
  const folder = await temporaryFolder(t);
  const passages: [number, number][][] = [
    [
      [1, 0.5],
      [2, 2],
      [3, 0.5],
      [4, 1],
    ],
    [[2, 1]],
    [],
    [
      [1, 3],
      [5, 3],
      [6, 3],
    ],
  ];
  assert.deepEqual(
    largestWeights(pairsOf(passages), 2),
    pairsOf([
      [
        [2, 2],
        [4, 1],
      ],
      [[2, 1]],
      [],
      [
        [1, 3],
        [5, 3],
      ],
    ]),
  );
  assert.deepEqual(
    largestWeights(pairsOf(passages), 3),
    pairsOf([
      [
        [1, 0.5],
        [2, 2],
        [4, 1],
      ],
      [[2, 1]],
      [],
      passages[3]!,
    ]),
  );
  const all = pairsOf(passages);
  assert.equal(largestWeights(all, 4), all);
  assert.equal(largestWeights(all, undefined), all);
  const weights = await shardsOf(path.join(folder, 'shards'), passages, 2);
  const target = path.join(folder, 'index');
  await mkdir(target);
  assert.equal((await writeImpactIndex({ weights, tokens, folder: target, most: 2 })).postings, 5);
  await weights.close();
});

test('an index of passages without any weight finds nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const weights = await shardsOf(path.join(folder, 'shards'), [[], [], []], 1);
  await mkdir(path.join(folder, 'index'));
  const facts = await writeImpactIndex({ weights, tokens, folder: path.join(folder, 'index') });
  assert.deepEqual([facts.postings, facts.empty], [0, 3]);
  const index = await openImpactIndex(path.join(folder, 'index'), 1e9);
  const found = await new ImpactSearcher(index).search(
    { pairs: Float32Array.of(5, 1), counts: Int32Array.of(1) },
    2,
  );
  assert.deepEqual(found, noHits(1, 2));
  await index.close();
  await weights.close();
});
