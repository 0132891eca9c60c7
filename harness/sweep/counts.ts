/** Datasets that are opened and counted, and no more. */
import { BenchError } from '../errors.js';
import { prepare } from '../pipeline/prepare.js';
import { datasetFacts } from '../pipeline/record-stage.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { Progress } from '../progress.js';
import type { DatasetFacts } from '../record.js';

/** One after another; one that cannot be opened leaves its error, and the others go on. @throws BenchError INTERRUPTED */
export async function count(
  requests: readonly RunRequest[],
  progress: Progress,
): Promise<Map<RunRequest, DatasetFacts | Error>> {
  const found = new Map<RunRequest, DatasetFacts | Error>();
  for (const request of requests) {
    progress.checkInterrupted();
    try {
      const { dataset } = await prepare(request, progress);
      found.set(request, await datasetFacts(dataset, 'test'));
      progress.note(`counted: ${request.dataset}`);
    } catch (error) {
      if (error instanceof BenchError && error.code === 'INTERRUPTED') throw error;
      progress.checkInterrupted();
      found.set(request, error instanceof Error ? error : new Error(String(error)));
    }
  }
  return found;
}
