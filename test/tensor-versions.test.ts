/** What an engine says of itself, which every run record keeps. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { openEngine } from '../harness/tensor/engines.js';

const require = createRequire(import.meta.url);

test('the versions are those of the packages that compute', async () => {
  for (const [name, packages] of [
    ['tfjs-cpu', ['@tensorflow/tfjs-core']],
    ['onnx', ['onnxruntime-node']],
  ] as const) {
    const { versions } = await openEngine(name);
    assert.deepEqual(Object.keys(versions), packages);
    for (const each of packages)
      assert.equal(versions[each], (require(`${each}/package.json`) as { version: string }).version, name);
  }
});
