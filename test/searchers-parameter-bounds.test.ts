/** The least and the largest value of each search parameter: what its library keeps it in. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { silentProgress } from '../harness/progress.js';
import { loadFaiss } from '../harness/searchers/faiss/flat.js';
import { findSearchParameter } from '../harness/searchers/faiss/parameter-file.js';
import faiss from '../harness/searchers/faiss.js';
import usearch from '../harness/searchers/usearch.js';
import { makeIndex, normalRows, temporaryFolder } from './made-index.js';

const skip = await loadFaiss().then(
  () => false as const,
  (error: Error) => error.message,
);

test('parameters count from 1, and those of graphs are 32-bit numbers', () => {
  for (const { builder } of [faiss, usearch])
    for (const [name, { minimum, maximum, type }] of Object.entries(builder!.parameters)) {
      assert.deepEqual([type, minimum], ['integer', 1], name);
      if (name === 'efSearch') assert.equal(maximum, 2_147_483_647);
    }
});

test('of a graph in a file, neither breadth is below 1', { skip }, async (t) => {
  const folder = await temporaryFolder(t);
  const index = await makeIndex(folder, normalRows(50, 4, 'bounds'));
  await index.close();
  const file = path.join(folder, 'index.faiss');
  await faiss.builder!.build({
    ...{ folder, kind: 'HNSW16', trainingVectors: 50, seed: 1, target: file, vectors: 50 },
    progress: silentProgress(),
  });
  const whole = readFileSync(file);
  const { offset } = (await findSearchParameter(file))!;
  // That of building lies before that of searching.
  for (const at of [offset - 4, offset]) {
    const changed = Buffer.from(whole);
    changed.writeInt32LE(1, at);
    writeFileSync(file, changed);
    assert.equal((await findSearchParameter(file))!.offset, offset);
    for (const wrong of [0, -1]) {
      changed.writeInt32LE(wrong, at);
      writeFileSync(file, changed);
      await assert.rejects(findSearchParameter(file), { code: 'CACHE_INVALID' }, `${wrong} at ${at}`);
    }
  }
});
