/** Artifacts of older versions, whose manifests say only by their inputs what they are about. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { inventory } from '../harness/store/inventory.js';
import { Store } from '../harness/store/store.js';
import { rewriteManifest } from './forged-manifest.js';
import { temporaryFolder } from './made-index.js';

test('what an artifact is about is seen from its inputs where nothing else says so, as far as they tell', async (t) => {
  const root = await temporaryFolder(t);
  const store = new Store(root, {});
  for (const [inputs, expected] of [
    [
      { dataset: { name: 'beir/nq' }, architecture: { name: 'mlr' } },
      { dataset: 'beir/nq', system: 'mlr' },
    ],
    [{ dataset: { name: 'squad' } }, { dataset: 'squad' }],
    [{ architecture: { name: 'mlr' }, dataset: {} }, { system: 'mlr' }],
    [{}, {}],
  ] as const) {
    await rm(path.join(root, 'shards'), { recursive: true, force: true });
    const { folder } = await store.artifact('shards', inputs, async (made) => {
      await writeFile(path.join(made, 'a'), '');
      return {};
    });
    await rewriteManifest(folder, ({ execution }) => {
      const { about: _, ...rest } = execution!;
      return { execution: rest };
    });
    const [found] = await inventory(root);
    const { dataset, system, state } = found!;
    assert.equal(state, 'finished');
    assert.deepEqual(
      { ...(dataset !== undefined && { dataset }), ...(system !== undefined && { system }) },
      expected,
    );
  }
  // One that has no manifest is about nothing.
  const unfinished = path.join(root, 'shards', '0'.repeat(20));
  await mkdir(unfinished, { recursive: true });
  const found = (await inventory(root)).find(({ folder }) => folder === unfinished)!;
  assert.deepEqual([found.state, found.dataset, found.system], ['unfinished', undefined, undefined]);
});
