/** Which requests belong together. */
import type { RunRequest } from '../pipeline.js';
import { canonicalJson } from '../store/hash.js';

/**
 * Requests whose latencies can be compared: the same dataset, seed and machine settings. Groups stand in the order in which
 * each comes first.
 */
export function groupsOf(requests: readonly RunRequest[]): RunRequest[][] {
  const groups = new Map<string, RunRequest[]>();
  for (const request of requests) {
    const { engine, searcher, threads, latency } = request.config;
    const key = canonicalJson([seedKey(request), engine, searcher, threads, latency]);
    groups.set(key, [...(groups.get(key) ?? []), request]);
  }
  return [...groups.values()];
}

/** Requests that read the same collection, and may share what does not depend on the seed. */
export function datasetKey({ dataset, data, config }: RunRequest): string {
  return canonicalJson([dataset, data, config.cache]);
}

/** Requests that may share what was trained. */
export function seedKey(request: RunRequest): string {
  return canonicalJson([datasetKey(request), request.seed]);
}
