/** The pooling's own weights of a saved retriever: read into their places, and refused where they are of another number. */
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { poolingWeights } from '../harness/model/retriever-files.js';
import { writeSafetensors } from '../harness/model/safetensors.js';
import { madeRetriever } from './made-training.js';
import { removeClosed } from './open-files.js';

const folder = await mkdtemp(path.join(tmpdir(), 'strata-pooling-'));
after(() => removeClosed(folder));

test('weights of a mix are read into their place, and none where there are none', async () => {
  const { retriever } = await madeRetriever('mlr-mix');
  assert.deepEqual(await poolingWeights(folder, retriever), new Map());
  const place = retriever.parameters.findIndex(({ owner }) => owner === 'pooling');
  const { name, shape } = retriever.parameters[place]!;
  assert.deepEqual(shape, [2], 'one for each of two layers');
  const values = Float32Array.of(0.25, -3);
  await writeSafetensors(path.join(folder, 'pooling.safetensors'), [{ name, shape, values }]);
  assert.deepEqual(await poolingWeights(folder, retriever), new Map([[place, values]]));
  // A tensor that is called as one of the encoder's is none of these.
  const others = retriever.parameters.find(({ owner }) => owner !== 'pooling')!;
  const own = { ...others, values: new Float32Array(others.shape.reduce((a, b) => a * b, 1)) };
  await writeSafetensors(path.join(folder, 'pooling.safetensors'), [own, { name, shape, values }]);
  assert.deepEqual(await poolingWeights(folder, retriever), new Map([[place, values]]));
  const { retriever: unpooled } = await madeRetriever('mlr');
  assert.deepEqual(await poolingWeights(folder, unpooled), new Map());
  const { retriever: other } = await madeRetriever('mlr-mix', { options: { layers: [2] } });
  await assert.rejects(poolingWeights(folder, other), {
    code: 'CHECKPOINT_INVALID',
    message: /of shape \[2\]; the architecture needs \[1\]/,
  });
});
