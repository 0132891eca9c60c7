/** Which requests belong together. */
import type { RunRequest } from '../pipeline/run-request.js';
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
      ? canonicalJson([seedKey(request), engine, device, searcher, threads, latency])
      : String(i);
    groups.set(key, [...(groups.get(key) ?? []), request]);
  }
  return [...groups.values()];
}

/** Requests that read the same collection, and may share what does not depend on the seed. */
export function datasetKey({ dataset, data, config }: RunRequest): string {
  return canonicalJson([dataset, data, config.cache]);
}

function seedKey(request: RunRequest): string {
  return canonicalJson([datasetKey(request), request.seed]);
}

/** Requests that may share what was trained, and what was made with it. */
export function systemKey(request: RunRequest): string {
  const { arch, model, text } = request.config;
  return canonicalJson([seedKey(request), request.architecture, arch, model, text]);
}
