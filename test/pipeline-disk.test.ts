/** Indexes that memory does not hold: read once for all queries, and timed with few. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from '../harness/config/config.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import { partQueriesOf, searchQueries } from '../harness/pipeline/query-search.js';
import { rereadingQueries } from '../harness/pipeline/timing.js';
import { silentProgress } from '../harness/progress.js';
import type { PassageHits } from '../harness/search/search.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { sweep } from '../harness/sweep.js';
import { openEngine } from '../harness/tensor/engines.js';
import { makeIndex, temporaryFolder, wholeNumberRows } from './made-index.js';

const faissMissing = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);
const engine = await openEngine('onnx', { threads: 1 });
after(() => engine.dispose());

const rows = wholeNumberRows(1200, 16, 'disk');
const asked = wholeNumberRows(300, 16, 'asked of the disk');
const queries = Array.from({ length: 300 }, (_, i) => ({ queryId: `q${i}`, text: String(i) }));

/** @returns hits, and what each stage told of its progress, by name */
async function hitsUnder(
  searcherName: string,
  memoryBytes: number,
  folder: string,
  batchSize = 128,
): Promise<{ hits: PassageHits[]; resident: boolean; told: Record<string, number[]> }> {
  const index = await makeIndex(folder, rows, 1, 6);
  const searcher = await openSearcher(searcherName, index, { engine, memoryBytes });
  const stages: Record<string, number[]> = {};
  const progress = silentProgress();
  const watching = {
    ...progress,
    stage(name: string) {
      stages[name] = [];
      return { update: (done: number) => void stages[name]!.push(done), end: () => undefined };
    },
  };
  const vectors = {
    read: async (first: number, count: number) => asked.values.slice(first * 16, (first + count) * 16),
  };
  const parts: PassageHits[] = [];
  const sink = {
    partQueries: partQueriesOf(searcher.resident, batchSize),
    get queries() {
      return parts.reduce((sum, { counts }) => sum + counts.length, 0);
    },
    add: async (batches: readonly PassageHits[]) => void parts.push(...batches),
  };
  await searchQueries({ index, searcher }, queries, vectors, { batchSize, depth: 3 }, sink, watching);
  const { resident } = searcher;
  await searcher.dispose();
  await index.close();
  return { hits: parts, resident, told: stages };
}

const joined = (parts: readonly PassageHits[], field: 'ordinals' | 'scores' | 'counts') =>
  parts.flatMap((part) => Array.from(part[field]));

for (const [name, skip] of [
  ['exact', false],
  ['faiss', faissMissing],
] as const) {
  test(`${name}: an index on the disk is read once for all queries, and the hits are the same`, {
    skip,
  }, async (t) => {
    const held = await hitsUnder(name, 1 << 28, await temporaryFolder(t));
    assert.equal(held.resident, true);
    assert.equal(held.hits.length, 3);
    // Some shards, but not all; and all hits, 12 bytes each, in the quarter that is theirs.
    const read = await hitsUnder(name, 48_000, await temporaryFolder(t));
    assert.equal(read.resident, false);
    assert.equal(read.hits.length, 1);
    for (const field of ['ordinals', 'scores', 'counts'] as const)
      assert.deepEqual(joined(read.hits, field), joined(held.hits, field));
    // A second reading would begin again.
    const told = read.told.search!;
    assert.ok(told.length > 1);
    for (const [i, rowsDone] of told.entries()) assert.ok(rowsDone > (told[i - 1] ?? 0), told.join(' '));
    assert.equal(told.at(-1), 1200);
  });
}

test('what reads the disk at every search is timed with few queries, by itself, and says so', async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), 'strata-disk-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const set = [
    ...[`cache=${path.join(root, 'cache')}`, `out=${path.join(root, 'out')}`, 'train.epochs=0'],
    ...['model.scratch.layers=1', 'model.scratch.dimensions=128', 'model.scratch.heads=2'],
    ...['model.scratch.intermediate=16', 'model.scratch.vocabularySize=500', 'text.passageTokens=16'],
    ...['searcher=exact', 'search.memoryMiB=1', 'latency.queries=20', 'latency.batchSizes=[4]'],
  ];
  const config = loadConfig({ cwd: root, flags: {}, set });
  const { records } = await sweep(
    ['dual-encoder', 'bm25'].map((architecture) => ({
      ...{ architecture, dataset: 'sample', seed: 1, offline: true, config },
    })),
    silentProgress(),
  );
  const [disk, memory] = records.map(({ latency }) => latency!);
  assert.equal(disk!.resident, false);
  assert.deepEqual([disk!.queryIds.length, disk!.warmup], [rereadingQueries, 0]);
  assert.deepEqual(disk!.queryIds, memory!.queryIds.slice(0, rereadingQueries));
  assert.equal(disk!.throughput![0]!.queries, 8);
  assert.match(disk!.warnings[0]!, /search\.memoryMiB \(1\) does not hold: 10 of 20 queries are timed/);
  assert.equal(memory!.queryIds.length, 20);
  const [once, often] = records.map(({ answering }) => answering!);
  assert.deepEqual([once!.queries, once!.warmup], [1, 0]);
  assert.ok(often!.queries! > 1 && often!.warmup! > 1);
  assert.deepEqual([disk!.interleavedWith, memory!.interleavedWith], [[], []]);
  assert.ok(!memory!.warnings.some((warning) => warning.includes('whole index')));
});
