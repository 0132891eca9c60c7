/** However a training ends, nothing of it stays with the engine: on a device that would be its memory. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { defaultConfig } from '../harness/config/config.js';
import { type Progress, silentProgress } from '../harness/progress.js';
import type { Engine } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { train } from '../harness/train/trainer.js';
import { countedEngine } from './counted-engine.js';
import { madeExamples, madeRetriever } from './made-training.js';

const onnx = await openEngine('onnx', { threads: 1 });
const folders: string[] = [];
after(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
  await onnx.dispose();
});
const { retriever, initial } = await madeRetriever('mlr-sc');

interface Asked {
  chunkSize?: number | null;
  learningRate?: number;
  stopAt?: number;
  onStep?: (done: number) => void;
}

/** One epoch of three steps, or the code of the error that ends it. */
async function ended(engine: Engine, { chunkSize = null, learningRate = 1e-3, stopAt, onStep }: Asked) {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-released-'));
  folders.push(folder);
  const stopping = new AbortController();
  const progress: Progress = {
    ...silentProgress(stopping.signal),
    signal: stopping.signal,
    stage: () => ({
      update(done) {
        onStep?.(done);
        if (done === stopAt) stopping.abort();
      },
      end: () => undefined,
    }),
  };
  const options = { ...defaultConfig().train, epochs: 1, batchSize: 4, chunkSize, averageRankFrom: 0 };
  const sizes = { maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64 };
  const examples = { examples: madeExamples(12), dev: madeExamples(5, 2) };
  const asked = { engine, retriever, initial, ...examples, options, learningRate, ...sizes };
  return train({ ...asked, seed: 12345, folder, progress }).then(
    () => 'trained',
    ({ code }: { code?: string }) => code,
  );
}

for (const [how, asked, outcome] of [
  ['trained at once', {}, 'trained'],
  ['trained by chunks', { chunkSize: 4 }, 'trained'],
  ['stopped', { stopAt: 2 }, 'INTERRUPTED'],
  ['diverged', { learningRate: 1e30 }, 'TRAINING_DIVERGED'],
] as const)
  for (const elsewhere of [false, true])
    test(`${how}, with variables ${elsewhere ? 'elsewhere' : 'in this memory'}: no program, no variable`, async () => {
      const { engine, living } = countedEngine(onnx, elsewhere);
      let most = 0;
      const onStep = () => {
        most = Math.max(most, living.programs);
      };
      assert.equal(await ended(engine, { ...asked, onStep }), outcome);
      assert.ok(most > 0);
      assert.deepEqual(living, { programs: 0, variables: 0 });
    });

test('where tfjs holds the tensors, there are no more of them step after step, nor at the end', async () => {
  const engine = await openEngine('tfjs-cpu');
  const before = tf.memory().numTensors;
  for (const chunkSize of [null, 4]) {
    const held: number[] = [];
    assert.equal(
      await ended(engine, { chunkSize, onStep: () => held.push(tf.memory().numTensors) }),
      'trained',
    );
    assert.equal(held.length, 3);
    assert.equal(held[2], held[1]);
    assert.equal(tf.memory().numTensors, before);
  }
  await engine.dispose();
});
