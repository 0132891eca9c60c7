/** Which requests belong together. */
import type { RunRequest } from '../pipeline/run-request.js';
import { collectionKey } from '../stages/known.js';
import { canonicalJson } from '../store/hash.js';

/**
 * Requests whose latencies are measured in turns: the same dataset, seed and machine settings. Where systems take no turns
 * each is a group of its own, so that it can be recorded, and what it was made of let go, before the next is begun. Groups
 * stand in the order in which each comes first.
 */
export function groupsOf(requests: readonly RunRequest[]): RunRequest[][] {
  const groups = new Map<string, RunRequest[]>();
  for (const [i, request] of requests.entries()) {
    const { engine, device, searcher, threads, latency } = request.config;
    const taking = latency.interleave && latency.queries > 0;
    const key = taking
      ? canonicalJson([collectionKey(request), request.seed, engine, device, searcher, threads, latency])
      : String(i);
    groups.set(key, [...(groups.get(key) ?? []), request]);
  }
  return [...groups.values()];
}
