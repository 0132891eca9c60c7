/** How a step is computed: at once, or by chunks. */

import { GradientCache } from './gradient-cache.js';
import { DirectStep, type StepComputer, type StepContext } from './step.js';
import { chunkFor, shapeOfTexts, type TrainingSize } from './training-memory.js';

/**
 * @param deviceMemoryMiB of the device; null where it is not known
 * @param batch the largest there are
 * @throws BenchError OUT_OF_MEMORY where the device has not what this takes
 */
export function stepComputer(
  context: StepContext,
  chunkSize: number | 'fitting' | null,
  deviceMemoryMiB: number | null,
  batch: Omit<TrainingSize, 'weights' | 'shape'>,
): StepComputer {
  const { engine, retriever, parameters } = context;
  const weights = parameters.variables.reduce((sum, { size }) => sum + size, 0);
  const onDevice = engine.largestArrayBytes !== undefined;
  const chunk = chunkFor(chunkSize, onDevice ? deviceMemoryMiB : null, {
    ...{ weights, shape: shapeOfTexts(retriever.encoder) },
    ...batch,
  });
  return chunk === null ? new DirectStep(context) : new GradientCache(context, chunk);
}
