/** What a training keeps on its engine from step to step. */
import { refuseBeyondMemory } from '../program/memory.js';
import type { Engine, VariableSet } from '../tensor/engine.js';
import type { TrainedArrays } from './training-state.js';

/** Sets of one variable for each parameter. */
export interface TrainingArrays extends TrainedArrays {
  readonly gradients: VariableSet;
  dispose(): void;
}

/** @throws BenchError OUT_OF_MEMORY where this machine has not what the arrays take */
export function refuseArrays(sizes: readonly number[]): void {
  const elements = sizes.reduce((sum, size) => sum + size, 0);
  refuseBeyondMemory(
    4 * 4 * elements,
    `Training ${elements.toLocaleString('en-US')} weights, each with its gradient and two moments,`,
    'Choose a smaller model, or one encoder for queries and passages: --set model.tied=true.',
  );
}

/** @param sizes of the parameters, in elements: see `refuseArrays` */
export function openArrays(engine: Engine, sizes: readonly number[]): TrainingArrays {
  const make = () => engine.variables([...sizes]);
  const [parameters, gradients, first, second] = [make(), make(), make(), make()];
  return {
    ...{ parameters, gradients, moments: { first, second } },
    dispose() {
      for (const set of [parameters, gradients, first, second]) set.dispose();
    },
  };
}
