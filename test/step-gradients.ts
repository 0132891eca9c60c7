/** What a step leaves of gradients, for tests that compare ways to compute it. */
import type { Retriever } from '../harness/model/retriever.js';
import type { Engine } from '../harness/tensor/engine.js';
import type { Batch } from '../harness/train/batches.js';
import type { StepComputer, StepContext } from '../harness/train/step.js';

export const batching = {
  batchSize: 7,
  negatives: 1,
  missingNegative: 'left-out',
  maxQueryTokens: 16,
  maxPassageTokens: 16,
  paddingId: 0,
} as const;

export async function contextOf(
  engine: Engine,
  { retriever, initial }: { retriever: Retriever; initial: readonly Float32Array[] },
): Promise<StepContext> {
  const sizes = initial.map((values) => values.length);
  const [parameters, gradients] = [engine.variables(sizes), engine.variables(sizes)];
  for (const [i, variable] of parameters.variables.entries()) variable.write(initial[i]!);
  return { engine, retriever, parameters, gradients, seed: 5, dropout: true };
}

export async function gradientsOf(computer: StepComputer, { gradients }: StepContext, batch: Batch) {
  // Twice, because what the first step leaves must not show in the second.
  await computer.compute(batch, 1);
  const result = await computer.compute(batch, 3);
  const arrays = await Promise.all(gradients.variables.map((variable) => variable.read()));
  await computer.dispose();
  return { result, arrays };
}
