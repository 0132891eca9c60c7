/** The epoch that is under way, step by step. */
import type { DevScore } from './dev-score.js';
import type { StepResult } from './step.js';
import type { EpochFacts } from './training-facts.js';
import type { TrainingState } from './training-state.js';

/** Sums of an epoch that begins. */
export const emptyRunning = (): TrainingState['running'] => ({
  steps: 0,
  loss: 0,
  contrastive: 0,
  regularizer: 0,
  taught: 0,
  milliseconds: 0,
});

/** Counts a step and adds what came of it to the sums of its epoch. */
export function addStep(state: TrainingState, result: StepResult, milliseconds: number): void {
  const { running } = state;
  state.step++;
  running.steps++;
  running.loss += result.loss;
  running.contrastive += result.contrastive;
  running.regularizer += result.regularizer ?? 0;
  running.taught += result.taught ?? 0;
  running.milliseconds += milliseconds;
}

/** The epoch that has just ended. @param judged its score, and what that took; undefined where there is no dev set */
export function epochFacts(
  epoch: number,
  { running }: TrainingState,
  judged: { score: DevScore; milliseconds: number } | undefined,
): EpochFacts {
  const { steps } = running;
  return {
    epoch,
    steps,
    loss: running.loss / steps,
    contrastive: running.contrastive / steps,
    ...(running.regularizer === 0 ? {} : { regularizer: running.regularizer / steps }),
    ...(running.taught === 0 ? {} : { taught: running.taught / steps }),
    ...(judged && { dev: judged.score }),
    seconds: running.milliseconds / 1000,
    ...(judged && { devSeconds: judged.milliseconds / 1000 }),
  };
}
