/** When a training ends before its last epoch: `train.patience`. */
import type { TrainConfig } from '../config/bench-config.js';
import { BenchError } from '../errors.js';
import type { TrainingState } from './training-state.js';

/** @throws BenchError CONFIG_INVALID where nothing could say when training stops getting better */
export function refuseBlindPatience(
  { patience, epochs }: Pick<TrainConfig, 'patience' | 'epochs'>,
  dev: readonly unknown[],
): void {
  if (patience === null || epochs === 0 || dev.length > 0) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `train.patience is ${patience}, and there are no dev queries that could say when training stops getting better.`,
    { hint: 'Leave train.patience null, or train on a dataset that has dev queries.' },
  );
}

/** Whether dev has not become better for so many epochs. */
export function wasPatientEnough({ epochs, bestEpoch }: TrainingState, patience: number | null): boolean {
  return patience !== null && bestEpoch !== undefined && epochs.length - 1 - bestEpoch >= patience;
}
