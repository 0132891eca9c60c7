/** Negatives of which a query has too few are left out or padded as the settings say, and cycled where the dataset does so. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { silentProgress } from '../harness/progress.js';
import { openEngine } from '../harness/tensor/engines.js';
import { train } from '../harness/train/trainer.js';
import { madeExamples, madeRetriever } from './made-training.js';

const engine = await openEngine('onnx', { threads: 1 });
const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
  await engine.dispose();
});

test('a dataset that cycles them trains otherwise than the settings say, whichever they say', async () => {
  const { retriever, initial } = await madeRetriever('dual-encoder');
  const trained = async (missingNegative: 'left-out' | 'padded', cyclesNegatives = false) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'strata-cycled-'));
    folders.push(folder);
    const options = {
      ...defaultConfig().train,
      epochs: 1,
      batchSize: 4,
      chunkSize: null,
      negatives: 3,
      missingNegative,
    };
    const { weights } = await train({
      ...{ engine, retriever, initial, options, learningRate: 1e-2, seed: 1, folder },
      ...{ maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64, progress: silentProgress() },
      ...{ examples: madeExamples(8), dev: [], cyclesNegatives },
    });
    return weights;
  };
  const [leftOut, padded, cycled] = [
    await trained('left-out'),
    await trained('padded'),
    await trained('left-out', true),
  ];
  for (const other of [padded, cycled]) assert.notDeepEqual(other, leftOut);
  assert.notDeepEqual(cycled, padded);
  assert.deepEqual(await trained('padded', true), cycled);
});
