import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Tensor, Tensor2D } from '../harness/contracts.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import type { ArraySpec, NumericArray } from '../harness/tensor/engine.js';
import { openEngine } from '../harness/tensor/engines.js';
import * as tf from '../harness/tensor/operations.js';
import { dropoutMasks } from '../harness/train/dropout-masks.js';

const [batch, tokens, dimensions] = [3, 6, 8];

describe("BERT's last layer for [CLS] alone", async () => {
  const sizes = {
    layers: 2,
    dimensions,
    heads: 2,
    intermediate: 16,
    vocabularySize: 20,
    maxTokens: 8,
    dropout: 0.3,
  };
  const { encoder, weights } = scratchEncoder(sizes, 3);
  const sites = encoder.dropoutSites(batch, tokens);
  const specs: ArraySpec[] = [
    ...encoder.parameters.map(({ shape }): ArraySpec => ({ shape, dtype: 'float32' })),
    { shape: [batch, tokens], dtype: 'int32' },
    { shape: [batch, tokens], dtype: 'float32' },
    ...sites.map(({ shape }): ArraySpec => ({ shape, dtype: 'bool' })),
  ];
  const mask = Float32Array.from({ length: batch * tokens }, (_, i) => Number(i % tokens < 4));
  const ids = Int32Array.from({ length: batch * tokens }, (_, i) => i % 20);
  const feeds: NumericArray[] = [
    ...weights,
    ids,
    mask,
    ...dropoutMasks({ sites, seed: 1, step: 1, side: 'passage', places: Int32Array.of(0, 1, 2) }),
  ];
  const count = encoder.parameters.length;
  const states = (inputs: Tensor[]) => {
    const [idTensor, maskTensor, ...keep] = inputs.slice(count) as [Tensor2D, Tensor2D, ...Tensor[]];
    return encoder.states(inputs.slice(0, count), { ids: idTensor, mask: maskTensor }, keep);
  };
  for (const name of ['onnx', 'tfjs-cpu'] as const) {
    it(`is the first row of the whole layer, under the same dropout masks (${name})`, async () => {
      const engine = await openEngine(name);
      const alone = await engine.compile((inputs) => [states(inputs).summary(2)], specs);
      const whole = await engine.compile((inputs) => {
        const hidden = states(inputs).hidden[2]!;
        return [tf.reshape(tf.slice(hidden, [0, 0, 0], [batch, 1, dimensions]), [batch, dimensions])];
      }, specs);
      const [a] = await alone.run(feeds);
      const [b] = await whole.run(feeds);
      for (const [i, value] of (b as Float32Array).entries()) assert.ok(Math.abs(a![i]! - value) < 1e-5);
    });
  }
});
