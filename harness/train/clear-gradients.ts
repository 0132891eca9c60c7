/** Gradients set to zero before the chunks of a batch add theirs. */
import * as tf from '../tensor/operations.js';
import type { ProgramCache } from '../tensor/program-cache.js';
import type { StepContext } from './step.js';

/**
 * All but those of the pooling, which the loss writes. On a device one program does it: each variable alone would be made there by a
 * run of its own, some hundred of them.
 */
export async function clearGradients(
  { engine, retriever, gradients }: Pick<StepContext, 'engine' | 'retriever' | 'gradients'>,
  programs: ProgramCache,
): Promise<void> {
  const cleared = gradients.variables.filter((_, i) => retriever.parameters[i]!.owner !== 'pooling');
  for (const variable of cleared) variable.clear();
  if (engine.largestArrayBytes === undefined) return;
  const program = await programs.get('zeros', () =>
    engine.compile(
      ([zero]) => cleared.map(({ size }) => tf.broadcastTo(zero!, [size])),
      [{ shape: [], dtype: 'float32' }],
      { name: 'gradients of zero' },
    ),
  );
  await program.run([Float32Array.of(0)], cleared);
}
