/** Whether a step came to numbers. */
import type { TrainConfig } from '../config/bench-config.js';
import { BenchError } from '../errors.js';
import { unfinishedFolder } from '../store/unfinished.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import type { StepResult } from './step.js';

/** Whether the gradient alone is not finite: a loss that is not has nothing to do with its scale. */
export const overflowed = ({ loss, gradientNorm }: StepResult): boolean =>
  Number.isFinite(loss) && !Number.isFinite(gradientNorm);

/**
 * @param at the step from 1, the epoch from 0, and the epoch whose weights lie in the folder as the best, if one's do
 * @throws BenchError TRAINING_DIVERGED where the loss or the gradient is not finite
 */
export function refuseDivergence(
  result: StepResult,
  { step, epoch, folder, saved }: { step: number; epoch: number; folder: string; saved: number | undefined },
  { precision }: Pick<TrainConfig, 'precision'>,
): void {
  if (Number.isFinite(result.loss) && Number.isFinite(result.gradientNorm)) return;
  const best =
    saved === undefined
      ? ''
      : ` The weights of epoch ${saved + 1}, the best so far, are kept in ${unfinishedFolder(folder)}.`;
  const lower = 'Try a lower --set train.learningRate, a lower --set train.clipNorm, or another --seeds';
  throw new BenchError(
    'TRAINING_DIVERGED',
    `At step ${step} (epoch ${epoch + 1}) the loss was ${result.loss} and the gradient's norm ${result.gradientNorm}.${best}`,
    {
      hint:
        precision === usualPrecision
          ? `${lower}.`
          : `A product may have come out larger than what ${precision} holds: --set train.precision=${usualPrecision}. ${lower}.`,
    },
  );
}
