/** A collection that ends too early leaves no shard that a later attempt would take for whole. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { encodeCollection, encodeShard, type PassageEncoder } from '../harness/encode/encode.js';
import { readShardFacts } from '../harness/index/shard-files.js';
import { silentProgress } from '../harness/progress.js';

const root = mkdtempSync(path.join(tmpdir(), 'strata-encode-cut-'));
after(() => rmSync(root, { recursive: true, force: true }));

const all = Array.from({ length: 8 }, (_, i) => ({ passageId: `p${i}`, title: '', text: 't' }));
const encoder: PassageEncoder = {
  dimensions: 2,
  mostVectors: 1,
  encode: async ({ length }) => ({
    vectors: new Float32Array(2 * length).fill(1),
    counts: new Int32Array(length).fill(1),
  }),
};

const requestIn = (folder: string) => ({
  ...{ encoder, folder: path.join(root, folder), count: 8, shardPassages: 4 },
  ...{ vectorsPerPassage: 1, memoryBytes: 2 ** 20, progress: silentProgress() },
});

async function* of(given: number, from = 0) {
  yield* all.slice(from, given);
}

test('one shard', async () => {
  const request = requestIn('shard');
  const shard = (given: number) => encodeShard({ ...request, passagesFrom: (from) => of(given, from) }, 1);
  await assert.rejects(shard(6), { code: 'DATA_INVALID' });
  await shard(8);
  assert.equal((await readShardFacts(request.folder, 1))?.passages, 4);
});

test('the whole index: the shards before the end stay', async () => {
  const request = requestIn('index');
  await assert.rejects(encodeCollection({ ...request, passages: of(6) }), { code: 'DATA_INVALID' });
  assert.equal((await readShardFacts(request.folder, 0))?.passages, 4);
  assert.equal((await encodeCollection({ ...request, passages: of(8) })).passages, 8);
  await assert.rejects(encodeCollection({ ...requestIn('more'), passages: of(8), count: 7 }), {
    code: 'DATA_INVALID',
  });
});
