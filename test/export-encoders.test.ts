/** Every encoder in ONNX: a file for batches and lengths it was not recorded for, and its vectors those of the other engine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { writeModelFile } from '../harness/export/onnx-files.js';
import { encoders } from '../harness/model/known-encoders.js';
import { silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import { madeExport } from './made-exports.js';

const engine = await openEngine('tfjs-cpu');
const folder = await mkdtemp(path.join(tmpdir(), 'strata-export-encoders-'));
after(async () => {
  await engine.dispose();
  await rm(folder, { recursive: true });
});

for (const { examples } of encoders)
  for (const form of Object.keys(examples))
    describe(`${form} in ONNX`, () => {
      // The first token alone, and every token of the last layer and of one before.
      for (const name of ['dual-encoder', 'colbert-cls', 'mlr'])
        test(name, async () => {
          const target = await mkdtemp(path.join(folder, 'side-'));
          const trained = await madeExport(name, form);
          const check = await writeModelFile(target, trained, 'passage', {
            engine,
            progress: silentProgress(),
          });
          assert.equal(check.texts, 12);
          assert.ok(check.largestDifference <= 1e-5, String(check.largestDifference));
        });
    });
