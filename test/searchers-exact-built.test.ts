/** Built kinds of `exact`, searched by their own classes: what memory they take, and what of them is read and ended when. */
import assert from 'node:assert/strict';
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { VectorIndex } from '../harness/index/vector-index.js';
import { silentProgress } from '../harness/progress.js';
import type { BuiltFile, RowHits } from '../harness/search/searcher.js';
import { buildIndex } from '../harness/searchers/exact/build.js';
import { readLayout } from '../harness/searchers/exact/code-file.js';
import type { ScanQuery } from '../harness/searchers/exact/code-scan.js';
import { CodeSearcher } from '../harness/searchers/exact/code-searcher.js';
import { CutSearcher } from '../harness/searchers/exact/cut-searcher.js';
import type { Kind } from '../harness/searchers/exact/kinds.js';
import { codeQuery } from '../harness/searchers/exact/row-codes.js';
import { ScanThreads } from '../harness/searchers/exact/scan-threads.js';
import { openEngine } from '../harness/tensor/engines.js';
import { listOf, makeIndex, normalRows, type Rows, rankRows, temporaryFolder } from './made-index.js';
import { queryAt } from './searcher-rows.js';

const engine = await openEngine('onnx', { threads: 2 });
after(() => engine.dispose());
const ample = 1 << 28;

async function built(index: VectorIndex, kind: Kind, value?: number): Promise<BuiltFile> {
  const target = path.join(index.folder, kind);
  const { sizeBytes, parameter } = await buildIndex({
    ...{ folder: index.folder, kind, target, trainingVectors: 1, seed: 1 },
    ...{ vectors: index.vectors, progress: silentProgress() },
  });
  const { name } = parameter ?? { name: 'rescore' };
  return { file: target, kind, sizeBytes, ...(value !== undefined && { parameter: { name, value } }) };
}

test('codes take their file, 12 bytes a row, and the vectors where these are compared again', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), normalRows(50, 20, 'rows'));
  t.after(() => index.close());
  for (const [kind, rescore, vectors] of [
    ['int8', 0, false],
    ['int8', 30, true],
    ['int8', undefined, true],
    ['binary', 0, false],
    ['binary', 1, true],
    ['bounds', undefined, true],
  ] as const) {
    const file = await built(index, kind, rescore);
    const wanted = statSync(file.file).size + 12 * 50 + (vectors ? 4 * 50 * 20 : 0);
    const searcher = await CodeSearcher.open(index, file, kind, { engine, memoryBytes: wanted });
    assert.ok(searcher.resident);
    await searcher.dispose();
    const words = vectors ? ', with the vectors that are compared again.' : '.';
    await assert.rejects(CodeSearcher.open(index, file, kind, { engine, memoryBytes: wanted - 1 }), {
      code: 'CONFIG_INVALID',
      message: `An index '${kind}' is searched in memory as a whole, and takes ${wanted} of the ${wanted - 1} bytes that vectors may take${words}`,
      hint: /search\.memoryMiB.*index\.rescore=0/,
    });
  }
});

/** The hits of some queries are the rows with the largest products, one after another. */
function assertBest(hits: RowHits, rows: Rows, queries: Rows, some: readonly number[]): void {
  for (const q of some)
    assert.deepEqual(
      listOf(hits.rows, hits.depth, hits.counts, q),
      rankRows(rows, queryAt(queries, q))
        .slice(0, hits.depth)
        .map(({ row }) => row),
    );
}

test('what is disposed of while it searches ends with that search, whose hits are whole', async (t) => {
  // Codes enough for two threads, and queries for two batches.
  const rows = normalRows(4096, 512, 'rows');
  const queries = normalRows(17, 512, 'queries');
  const index = await makeIndex(await temporaryFolder(t), rows);
  t.after(() => index.close());
  const file = await built(index, 'bounds');
  const searcher = await CodeSearcher.open(index, file, 'bounds', { engine, memoryBytes: ample });
  const searching = searcher.search(queries.values, 17, 5);
  await searcher.dispose();
  const hits = await searching;
  assertBest(hits, rows, queries, [0, 15, 16]);
});

test('rows that are cut are read in pieces of up to a mebi of numbers, the last one shorter', async (t) => {
  // 4 rows and a part of a fifth make such a piece.
  const dimensions = 2 ** 18 - 1;
  const values = new Float32Array(10 * dimensions);
  for (let row = 0; row < 10; row++) values[row * dimensions] = [3, 9, 1, 7, 5, 8, 2, 10, 4, 6][row]!;
  const index = await makeIndex(await temporaryFolder(t), { values, dimensions });
  t.after(() => index.close());
  const file = await built(index, 'cut', 2);
  const reads: number[][] = [];
  const watched = Object.create(index, {
    readRows: {
      value: (first: number, count: number, into: Float32Array) => {
        reads.push([first, count, into.length]);
        return index.readRows(first, count, into);
      },
    },
  }) as VectorIndex;
  const searcher = await CutSearcher.open(watched, file, { engine, memoryBytes: ample });
  const query = new Float32Array(dimensions);
  query[0] = 1;
  const hits = await searcher.search(query, 1, 10);
  await searcher.dispose();
  assert.deepEqual([...hits.scores], [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  assert.deepEqual([...hits.rows], [7, 1, 5, 3, 9, 4, 8, 0, 6, 2]);
  const piece = 4 * dimensions;
  assert.deepEqual(reads, [
    [0, 4, piece],
    [4, 4, piece],
    [8, 2, piece],
  ]);
});

test('codes are searched as they were read when they were opened, whatever becomes of the file', async (t) => {
  const rows = normalRows(9000, 20, 'rows');
  const index = await makeIndex(await temporaryFolder(t), rows);
  t.after(() => index.close());
  const file = await built(index, 'bounds');
  const searcher = await CodeSearcher.open(index, file, 'bounds', { engine, memoryBytes: ample });
  t.after(() => searcher.dispose());
  rmSync(file.file);
  const queries = normalRows(130, 20, 'queries');
  const hits = await searcher.search(queries.values, 130, 5);
  assertBest(hits, rows, queries, [0, 127, 128]);
});

test('a search after the end of one of its threads is an error, and keeps nobody waiting', async (t) => {
  const index = await makeIndex(await temporaryFolder(t), normalRows(4096, 512, 'rows'));
  t.after(() => index.close());
  const file = await built(index, 'bounds');
  const query = new Float32Array(512).fill(1);
  const layout = await readLayout(file.file, { coding: 'int8', dimensions: 512, rows: 4096 });
  const scans = await ScanThreads.open(layout, 2);
  const wanted = { rows: 'possible', depth: 5 } as const;
  const broken = Object.create({ map: () => [] }) as ScanQuery[];
  const queries = [codeQuery(query, layout.width)];
  // What the thread gets is a copy without the method, and the error ends it.
  await assert.rejects(scans.find({ queries: broken, wanted }), { name: 'TypeError', message: /map/ });
  for (let i = 0; i < 2; i++)
    await assert.rejects(scans.find({ queries, wanted }), { name: 'TypeError', message: /map/ });
  await scans.end();
  const ended = await ScanThreads.open(layout, 2);
  await ended.end();
  await assert.rejects(ended.find({ queries, wanted }), { message: 'a thread of the search ended with 1' });
  await ended.end();
});
