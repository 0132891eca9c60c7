import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openEngine } from '../harness/tensor/engines.js';
import { AdamW } from '../harness/train/adamw.js';
import { learningRateAt } from '../harness/train/schedule.js';
import { clipScale } from '../harness/train/update.js';
import { inFixtures } from './places.js';

interface Reference {
  torch: string;
  sizes: number[];
  decayed: number;
  steps: number;
  warmup: number;
  peak: number;
  clip: number;
  weightDecay: number;
  rates: number[];
  norms: number[];
  values: number[][][];
}

const file = inFixtures('training/adamw.json');
const reference = JSON.parse(readFileSync(file, 'utf8')) as Reference;

for (const name of ['onnx', 'tfjs-cpu'] as const) {
  describe(`AdamW, schedule and clipping on ${name}, against torch ${reference.torch}`, async () => {
    const engine = await openEngine(name);
    it('agrees over 50 steps to 1e-5', async () => {
      const { sizes, decayed, steps, warmup, peak, clip, weightDecay } = reference;
      const [parameters, gradients, first, second] = [0, 1, 2, 3].map(() => engine.variables(sizes));
      for (const [t, variable] of parameters!.variables.entries()) {
        variable.write(Float32Array.from({ length: sizes[t]! }, (_, i) => Math.cos(1 + t + 2 * i)));
      }
      const moments = { first: first!, second: second! };
      const optimizer = new AdamW(engine, parameters!, gradients!, moments, decayed, weightDecay);
      for (let step = 0; step < steps; step++) {
        let square = 0;
        for (const [t, variable] of gradients!.variables.entries()) {
          const values = Float32Array.from(
            { length: sizes[t]! },
            (_, i) => Math.sin(1 + 3 * step + 5 * t + 7 * i) * (0.1 + 1.5 * (step % 3)),
          );
          for (const value of values) square += value * value;
          variable.write(values);
        }
        const norm = Math.sqrt(square);
        assert.ok(Math.abs(norm - reference.norms[step]!) < 1e-5 * norm, `norm of step ${step}`);
        const rate = learningRateAt(step, steps, warmup, peak);
        assert.ok(Math.abs(rate - reference.rates[step]!) < 1e-12, `rate of step ${step}`);
        await optimizer.step(step + 1, rate, clipScale(norm, clip));
        for (const [t, variable] of parameters!.variables.entries()) {
          for (const [i, value] of (await variable.read()).entries()) {
            const expected = reference.values[step]![t]![i]!;
            assert.ok(
              Math.abs(value - expected) < 1e-5,
              `step ${step}, ${t}[${i}]: ${value} against ${expected}`,
            );
          }
        }
      }
    });
  });
}

describe('learning rate', () => {
  it('rises over floor(warmup * steps) steps and falls to 0', () => {
    const rates = Array.from({ length: 11 }, (_, step) => learningRateAt(step, 10, 0.29, 1));
    assert.deepEqual(rates, [0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8, 0]);
  });
  it('is that of transformers at the edges: one step to fall, none, and after the end', () => {
    assert.deepEqual(
      [0, 1, 2].map((step) => learningRateAt(step, 2, 0.5, 4)),
      [0, 4, 0],
    );
    assert.deepEqual(
      [0, 1, 2, 3].map((step) => learningRateAt(step, 2, 1, 4)),
      [0, 2, 0, 0],
    );
    assert.equal(learningRateAt(9, 8, 0.25, 1), 0);
  });
  it('starts at its peak without warm-up', () => {
    assert.equal(learningRateAt(0, 4, 0, 2), 2);
  });
});

describe('clipping', () => {
  it('shrinks long gradients only, and none without a limit', () => {
    assert.equal(clipScale(1, 2), 1);
    assert.ok(Math.abs(clipScale(8, 2) - 0.25) < 1e-6);
    assert.equal(clipScale(1e9, null), 1);
  });
});
