/** What the machines have to have that make the runs of a sweep. */
import { machineNeeds, type PartNeeds } from '../pipeline/memory-needs.js';
import { passagesHere } from '../pipeline/needs.js';
import { assertRequirements } from '../pipeline/requirements.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { collectionKey } from '../stages/known.js';

/** Of each run; collections that are not here yet count for nothing. @throws BenchError as the run would */
export async function needsOf(requests: readonly RunRequest[]): Promise<PartNeeds[]> {
  const passages = new Map<string, Promise<number | null>>();
  const found: PartNeeds[] = [];
  for (const request of requests) {
    const key = collectionKey(request);
    if (!passages.has(key)) passages.set(key, passagesHere(request));
    found.push(machineNeeds(request, await assertRequirements(request), await passages.get(key)!));
  }
  return found;
}
