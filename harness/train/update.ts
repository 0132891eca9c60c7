/** One update of the weights: a batch, its gradient, clipping, AdamW. */
import { overflowed, refuseDivergence } from './divergence.js';
import { scalingAfter } from './loss-scale.js';
import { addStep } from './running-epoch.js';
import { learningRateAt } from './schedule.js';
import type { Training } from './training.js';
import { savedEpoch } from './training-state.js';

/**
 * With the batch that the state has come to. The next one is made before it is computed, so that what it needs can be drawn meanwhile.
 * @returns the loss of the step
 * @throws BenchError TRAINING_DIVERGED where the loss or gradient is not finite, OUT_OF_MEMORY where the batch is too large
 */
export async function update(training: Training, epoch: number): Promise<number> {
  const { request, batches, computer, optimizer, state, log, clock, steps } = training;
  const { engine, options, folder } = request;
  const started = performance.now();
  const busy = engine.busyMs;
  const batch = batches.at(state.step);
  const next = state.step + 1 < steps ? batches.ahead(state.step + 1) : undefined;
  const step = state.step + 1;
  const { scaling } = state;
  const result = await computer.compute(batch, step, scaling?.scale, next);
  const skipped = scaling !== undefined && scaling.scale > 1 && overflowed(result);
  if (!skipped) refuseDivergence(result, { step, epoch, folder, saved: savedEpoch(state, options) }, options);
  const learningRate = learningRateAt(state.step, steps, options.warmup, request.learningRate);
  const clip = clipScale(result.gradientNorm, options.clipNorm) / (scaling?.scale ?? 1);
  const kernelMs = skipped ? 0 : await optimizer.step(step - (scaling?.skipped ?? 0), learningRate, clip);
  if (scaling !== undefined) state.scaling = scalingAfter(scaling, skipped);
  const milliseconds = performance.now() - started;
  const engineMs = engine.busyMs - busy + kernelMs;
  log.add({
    ...{ epoch, step, ...result },
    ...(scaling && { lossScale: scaling.scale, skipped }),
    ...{ learningRate, milliseconds, javascriptShare: 1 - engineMs / milliseconds },
  });
  addStep(state, result, milliseconds);
  clock.add({ passages: batch.passages, wallMs: milliseconds, engineMs });
  return result.loss;
}

/** What the gradient is multiplied by so that its norm does not exceed the limit (torch.nn.utils.clip_grad_norm_). */
export function clipScale(norm: number, limit: number | null): number {
  return limit === null ? 1 : Math.min(1, limit / (norm + 1e-6));
}
