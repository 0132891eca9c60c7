/** What holds for every searcher there is, whatever it searches with. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { parameterProblems } from '../harness/config/index-parameters.js';
import { defaultConfig } from '../harness/config/schema.js';
import type { BenchError } from '../harness/errors.js';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { searcherNames } from '../harness/plugins/searchers.js';
import { createProgress } from '../harness/progress.js';
import type { Searcher } from '../harness/search/search.js';
import { recallAt } from '../harness/stages/recall.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, makeIndex, type Rows, rankRows, temporaryFolder, wholeNumberRows } from './made-index.js';
import {
  ample,
  assertEnded,
  assertInOrder,
  BuiltKind,
  clusteredRows,
  counts,
  dimensions,
  flatSearchers,
  foundSearchers,
  hitsOf,
  queryOf,
  rankPassages,
  rowsOf,
} from './searcher-cases.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const wholeQueries = wholeNumberRows(20, dimensions, 'queries');
const searchers = await foundSearchers();

test('a searcher opens the index Flat, or builds others, and says what it takes', () => {
  assert.ok(['exact', 'faiss', 'usearch'].every((name) => searcherNames().includes(name)));
  for (const { name, plugin } of searchers) {
    assert.ok(plugin.open !== undefined || plugin.builder !== undefined, name);
    for (const { type, description, minimum } of Object.values(plugin.builder?.parameters ?? {}))
      assert.ok(type === 'integer' && description.length > 0 && minimum >= 0, name);
    if (plugin.builder !== undefined) assert.ok(Object.keys(plugin.builder.examples).length > 0, name);
  }
});

const { flat, close } = await flatSearchers(searchers, engine);
after(close);

for (const { name, title, on, plugin, skip } of flat) {
  const open = (index: VectorIndex, memoryBytes = ample) =>
    openSearcher(name, index, { engine: on!, memoryBytes });

  for (const [label, m] of Object.entries(counts)) {
    test(`${title}, Flat, ${label}: the hits of brute force, ties too, whatever the depth`, {
      skip,
    }, async (t) => {
      const passageOf = rowsOf(m);
      const rows = wholeNumberRows(passageOf.length, dimensions, label);
      for (const shards of [1, 3]) {
        const index = await makeIndex(await temporaryFolder(t), rows, m, shards);
        const searcher = await open(index);
        for (const depth of [1, 10, 1000]) {
          const hits = await searcher.search(wholeQueries.values, 20, depth);
          for (let q = 0; q < 20; q++) {
            const expected = rankPassages(rows, passageOf, queryOf(wholeQueries, q)).slice(0, depth);
            assert.deepEqual(hitsOf(hits, q), expected, `${shards} shards, depth ${depth}, query ${q}`);
          }
        }
        await searcher.dispose();
        await index.close();
      }
    });
  }

  test(`${title}, Flat: a small budget is kept to, with the same hits, or refused`, { skip }, async (t) => {
    const index = await makeIndex(
      await temporaryFolder(t),
      wholeNumberRows(1000, dimensions, 'budget'),
      1,
      4,
    );
    t.after(() => index.close());
    const all = await open(index);
    assert.equal(all.resident, true);
    // All of them: of a few hits a row that no block had would hardly be missed.
    const expected = await all.search(wholeQueries.values, 20, 1000);
    await all.dispose();
    // A device takes no less than 64 rows, and their scores of 128 queries twice.
    const tight = await open(index, on?.largestArrayBytes === undefined ? 52_000 : 100_000);
    assert.equal(tight.resident, false);
    assert.deepEqual(await tight.search(wholeQueries.values, 20, 1000), expected);
    await assertEnded(tight);
    await assert.rejects(open(index, 40), { code: 'CONFIG_INVALID', message: /\d+/ });
  });

  test(`${title}, Flat: what is no query is refused`, { skip }, async (t) => {
    const index = await makeIndex(await temporaryFolder(t), wholeNumberRows(20, dimensions, 'few'));
    const searcher = await open(index);
    await assertRefuses(searcher);
    await assertEnded(searcher);
    await index.close();
  });

  if (plugin.builder === undefined)
    test(`${title}: an index of another kind is refused, with what to do`, { skip }, async (t) => {
      const index = await makeIndex(await temporaryFolder(t), wholeNumberRows(20, dimensions, 'few'));
      t.after(() => index.close());
      const built = { searcher: 'another', file: 'none', kind: 'TREE', sizeBytes: 1 };
      await assert.rejects(openSearcher(name, index, { engine: on!, memoryBytes: ample, built }), {
        code: 'UNKNOWN_NAME',
      });
      const of = searchers.find(({ plugin }) => plugin.builder !== undefined)!.name;
      const theirs = { ...built, searcher: of };
      await assert.rejects(openSearcher(name, index, { engine: on!, memoryBytes: ample, built: theirs }), {
        code: 'CONFIG_INVALID',
        hint: new RegExp(`--searcher ${of}`),
      });
    });
}

/** NaN, and a list that is not as many queries as it says. */
async function assertRefuses(searcher: Searcher): Promise<void> {
  const queries = new Float32Array(2 * dimensions);
  queries[dimensions] = Number.NaN;
  await assert.rejects(searcher.search(queries, 2, 3), {
    code: 'CHECKPOINT_INVALID',
    message: /gave NaN in the vector of query 2 of 2/,
  });
  await assert.rejects(searcher.search(queries, 1, 3), RangeError);
  assert.equal((await searcher.search(new Float32Array(0), 0, 3)).counts.length, 0);
}

for (const { name, plugin, skip } of searchers) {
  const { builder } = plugin;
  if (builder === undefined) continue;
  for (const [kind, least] of Object.entries(builder.examples)) {
    const suite = new BuiltKind(name, builder, kind, engine);
    for (const [label, m] of Object.entries(counts)) {
      test(`${name}, ${kind}, ${label}: at least ${100 * least} % of the exact first ten`, {
        skip,
      }, async (t) => {
        const passageOf = rowsOf(m);
        const rows = clusteredRows(passageOf.length, label);
        const index = await suite.index(t, rows, m);
        const searcher = await suite.open(index, await suite.build(index));
        assert.equal(searcher.name, name);
        assert.deepEqual(searcher.versions, plugin.versions(engine, kind));
        assert.equal(searcher.resident, true, 'no file is read while it searches');
        const queries = clusteredRows(40, 'asked');
        const hits = await searcher.search(queries.values, 40, 10);
        assertInOrder(hits, 40);
        const exact = await openSearcher('exact', index, { engine, memoryBytes: ample });
        const wanted = await exact.search(queries.values, 40, 10);
        const share = recallAt(10, hits, wanted);
        assert.ok(share >= least, `${share}`);
        // A score is near the inner product with the vector that won, however it is stored.
        const span = Math.max(...wanted.scores.map(Math.abs));
        for (let q = 0; q < 40; q++) {
          const scores = new Map(rankRows(rows, queryOf(queries, q)).map(({ row, score }) => [row, score]));
          const winners = listOf(hits.winners, hits.depth, hits.counts, q);
          for (const [i, { ordinal, score }] of hitsOf(hits, q).entries()) {
            const product = scores.get(index.firstRowOf(ordinal) + winners[i]!)!;
            assert.ok(Math.abs(score - product) < 0.1 * span, `${score} for ${product}`);
          }
        }
        // One query alone finds what it found among others.
        const alone = await searcher.search(queryOf(queries, 7), 1, 10);
        assert.deepEqual(
          hitsOf(alone, 0).map(({ ordinal }) => ordinal),
          hitsOf(hits, 7).map(({ ordinal }) => ordinal),
        );
        await exact.dispose();
        await searcher.dispose();
      });
    }

    test(`${name}, ${kind}: fewer passages than asked for, and ties`, { skip }, async (t) => {
      const same: Rows = { dimensions, values: new Float32Array(90 * dimensions).fill(1) };
      const index = await suite.index(t, same, 1);
      const searcher = await suite.open(index, await suite.build(index));
      const query = new Float32Array(dimensions).fill(1);
      for (const depth of [1, 10, 90, 1000]) {
        const hits = await searcher.search(query, 1, depth);
        assertInOrder(hits, 1);
        assert.ok(hits.counts[0]! > 0 && hits.counts[0]! <= Math.min(depth, 90));
      }
      await assertRefuses(searcher);
      await assertEnded(searcher);
    });

    test(`${name}, ${kind}: the same bytes again; a budget that is too small is refused`, {
      skip,
    }, async (t) => {
      const index = await suite.index(t, clusteredRows(300, 'bytes'), 1);
      const first = await suite.build(index);
      const bytes = readFileSync(first.file);
      assert.equal(first.sizeBytes, statSync(first.file).size);
      assert.deepEqual(await suite.build(index), first);
      assert.deepEqual(readFileSync(first.file), bytes);
      assert.ok(first.parameter === undefined || Object.hasOwn(builder.parameters, first.parameter.name));
      await assert.rejects(suite.open(index, first, first.sizeBytes), {
        code: 'CONFIG_INVALID',
        hint: /search\.memoryMiB/,
      });
    });

    test(`${name}, ${kind}: an interrupted build leaves nothing, and can be begun again`, {
      skip,
    }, async (t) => {
      const index = await suite.index(t, clusteredRows(300, 'interrupted'), 1);
      const before = readdirSync(index.folder);
      const controller = new AbortController();
      const base = createProgress({ signal: controller.signal, output: { write: () => true } });
      const stage = { update: () => controller.abort(), end: () => undefined };
      await assert.rejects(suite.build(index, { ...base, stage: () => stage }), { code: 'INTERRUPTED' });
      assert.deepEqual(readdirSync(index.folder), before);
      const searcher = await suite.open(index, await suite.build(index));
      assert.ok((await searcher.search(new Float32Array(dimensions).fill(1), 1, 5)).counts[0]! > 0);
      await searcher.dispose();
    });

    test(`${name}, ${kind}: a file cut short is an error that names it`, { skip }, async (t) => {
      const index = await suite.index(t, clusteredRows(300, 'cut'), 1);
      const built = await suite.build(index);
      for (const bytes of [built.sizeBytes - 1, Math.floor(built.sizeBytes / 2), 20, 0]) {
        truncateSync(built.file, bytes);
        await assert.rejects(suite.open(index, built), (error: BenchError) => {
          assert.equal(error.code, 'CACHE_INVALID', `${bytes}: ${error.stack}`);
          assert.ok(error.message.includes(path.basename(built.file)), error.message);
          return true;
        });
      }
    });
  }

  test(`${name}: a kind that it does not know is refused with the reason`, { skip }, async () => {
    await assert.rejects(builder.assertKind('HSNW32'), { code: 'CONFIG_INVALID', message: /HSNW32/ });
    for (const kind of Object.keys(builder.examples)) await builder.assertKind(kind);
  });

  test(`${name}: a search is told what its schema takes, and nothing else`, () => {
    const { index } = defaultConfig();
    const said = (parameters: Record<string, number[]>, depth = 1) =>
      parameterProblems({ ...index, kind: 'any', parameters }, builder.parameters, name, depth).join('\n');
    assert.match(said({ nonsense: [1] }), /^index\.parameters\.nonsense: the searcher .* no nonsense$/);
    for (const [parameter, { minimum, order, notBelowDepth }] of Object.entries(builder.parameters)) {
      assert.equal(said({ [parameter]: [10, 1] }), '');
      assert.match(
        said({ [parameter]: [minimum - 1] }),
        /^index\.(parameters\.)?\w+\[0\]: (0|-1) is not a whole number/,
      );
      const rising = order === 'descending' ? /: 1,10 does not go down at 10;/ : /^$/;
      assert.match(said({ [parameter]: [1, 10] }), rising);
      const low = notBelowDepth ? /: 9 is less than the 10 hits that search\.depth asks/ : /^$/;
      assert.match(said({ [parameter]: [50, 9] }, 10), low);
    }
  });
}
