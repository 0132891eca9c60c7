/** Trainings whose own collection nobody asks about: each leaves a checkpoint, and nothing is encoded or searched for it. */
import { BenchError } from '../errors.js';
import { trainOnly } from '../pipeline/one-stage.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import { CellLines } from './cell-lines.js';
import { Keeper } from './keeper.js';
import { assertWritable, forgetFailure, recordFailure } from './recording.js';
import { assertRunnable } from './runnable.js';

export interface TrainingsOutcome {
  /** Folders of the checkpoints. */
  checkpoints: Map<RunRequest, string>;
  failures: { request: RunRequest; error: Error }[];
}

/**
 * One after another; one that fails leaves a record of its error and the others go on. What it made beside the checkpoint
 * (the first of two stages) goes as `keep` says.
 * @throws BenchError INTERRUPTED; what is wrong with a request, before any training is begun; NOT_WRITABLE or DISK_FULL where no record can be written at all
 */
export async function train(requests: readonly RunRequest[], progress: Progress): Promise<TrainingsOutcome> {
  await assertRunnable(requests, progress);
  for (const out of new Set(requests.map(({ config }) => config.out))) await assertWritable(out);
  const lines = new CellLines(requests, progress);
  const keeper = new Keeper(progress);
  const checkpoints: TrainingsOutcome['checkpoints'] = new Map();
  const failures: TrainingsOutcome['failures'] = [];
  try {
    for (const [i, request] of requests.entries()) {
      progress.checkInterrupted();
      const end = lines.begin(request);
      try {
        const { checkpoint, key, stages, warnings } = await trainOnly(
          request,
          progress,
          keeper.storeOf(request),
        );
        const cached = stages.every(({ key: made, execution }) => made === null || execution.cached);
        end({ state: cached ? 'trained before' : 'trained' });
        for (const warning of warnings) progress.remark(`note: ${warning}`);
        checkpoints.set(request, checkpoint);
        keeper.recorded({ request, stages: [], searchable: [{ folder: checkpoint, key }] });
        await forgetFailure(request);
      } catch (error) {
        if (error instanceof BenchError && error.code === 'INTERRUPTED') throw error;
        progress.checkInterrupted();
        const failure = error instanceof Error ? error : new Error(String(error));
        end({ state: 'failed', reason: failure.message });
        const stored = await recordFailure(request, error, { stages: [] });
        progress.note(`record of the failure: ${stored.file}`);
        failures.push({ request, error: failure });
      }
      await keeper.tidy(requests.slice(i + 1));
    }
  } finally {
    await keeper.leave();
  }
  return { checkpoints, failures };
}
