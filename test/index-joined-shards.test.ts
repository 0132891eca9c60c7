/** Two indexes as one, cut at any passage: rows, owners and ids are those of both, and no file of the parts changes. */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { joinShards } from '../harness/index/joined-shards.js';
import { adoptShard, isWhole, readShardFacts, shardPaths } from '../harness/index/shard-files.js';
import { openIndex, type VectorIndex } from '../harness/index/vector-index.js';
import { stream } from '../harness/random.js';
import { hashFile } from '../harness/store/hash.js';
import { makeIndex, normalRows, temporaryFolder } from './made-index.js';

const dimensions = 3;

/** Vectors of each passage, with its id. */
async function passagesOf(index: VectorIndex): Promise<{ id: string; vectors: number[] }[]> {
  const ids = await index.identifiers();
  const found: { id: string; vectors: number[] }[] = [];
  for (let passage = 0; passage < index.passages; passage++) {
    const first = index.firstRowOf(passage);
    const end = passage + 1 < index.passages ? index.firstRowOf(passage + 1) : index.vectors;
    const vectors = new Float32Array((end - first) * dimensions);
    await index.readRows(first, end - first, vectors);
    for (let row = first; row < end; row++) assert.equal(index.passageOf(row), passage);
    found.push({ id: ids.at(passage), vectors: [...vectors] });
  }
  return found;
}

const hashesOf = async (folder: string) =>
  Promise.all((await readdir(folder)).sort().map((name) => hashFile(path.join(folder, name))));

async function made(
  t: TestContext,
  name: string,
  counts: readonly number[] | number,
  passages: number,
  shards: number,
) {
  const folder = path.join(await temporaryFolder(t), name);
  await mkdir(folder);
  const rows = typeof counts === 'number' ? counts * passages : counts.reduce((sum, count) => sum + count, 0);
  // Ids that the other does not have.
  return makeIndex(folder, normalRows(rows, dimensions, name), counts, shards, `${name}-`);
}

test('any number of passages of the second, in any shards, with any number of vectors', async (t) => {
  const random = stream(4, 'joined');
  for (let round = 0; round < 12; round++) {
    const [own, others] = [1 + random.integer(12), 1 + random.integer(12)];
    const varies = round % 2 === 1;
    const counts = (passages: number) =>
      varies ? Array.from({ length: passages }, () => random.integer(4)) : 1 + (round % 4);
    const first = await made(t, 'first', counts(own), own, 1 + random.integer(3));
    const second = await made(t, 'second', counts(others), others, 1 + random.integer(4));
    const before = [await hashesOf(first.folder), await hashesOf(second.folder)];
    const all = [...(await passagesOf(first)), ...(await passagesOf(second))];
    for (const count of new Set([1, 1 + random.integer(others), others])) {
      const folder = path.join(await temporaryFolder(t), 'joined');
      await mkdir(folder);
      const atOnce = random.choose([1, 2 * dimensions, undefined]);
      const facts = await joinShards(folder, first.folder, second.folder, count, atOnce);
      const joined = await openIndex(folder);
      assert.deepEqual(await passagesOf(joined), all.slice(0, own + count));
      for (const { number } of facts.shards)
        assert.ok(await isWhole(folder, number, (line) => assert.fail(line)));
      await joined.close();
    }
    assert.deepEqual([await hashesOf(first.folder), await hashesOf(second.folder)], before);
    await first.close();
    await second.close();
  }
});

test('an id that both have is refused, and so are more passages than there are', async (t) => {
  const [first, second] = [await made(t, 'same', 1, 3, 1), await made(t, 'same', 1, 3, 1)];
  const folder = await temporaryFolder(t);
  await assert.rejects(
    joinShards(folder, first.folder, second.folder, 1),
    /Two passages have the id 'same-0'/,
  );
  await assert.rejects(joinShards(folder, first.folder, second.folder, 4), RangeError);
  await first.close();
  await second.close();
});

const [memory, temporary] = ['/dev/shm', tmpdir()].map((folder) =>
  existsSync(folder) ? statSync(folder).dev : undefined,
);
test('a shard is taken over from another file system, too, which no link reaches', {
  skip: memory === undefined || memory === temporary ? 'there is one file system' : false,
}, async (t) => {
  const index = await made(t, 'first', [2, 0, 3], 3, 1);
  const elsewhere = await mkdtemp('/dev/shm/strata-shards-');
  t.after(() => rm(elsewhere, { recursive: true }));
  await adoptShard(index.folder, elsewhere, 0);
  assert.ok(await isWhole(elsewhere, 0, (line) => assert.fail(line)));
  assert.deepEqual(await readShardFacts(elsewhere, 0), await readShardFacts(index.folder, 0));
  await rm(shardPaths(index.folder, 0).vectors);
  await assert.rejects(adoptShard(index.folder, elsewhere, 0), { code: 'ENOENT' });
  await index.close();
});
