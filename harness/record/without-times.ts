/** A record without what differs when the same run is made again. */
import type { RunRecord } from './run-record.js';

/** Places of files, which do not decide what is in them. */
const places = ['cache', 'out'];

/**
 * Strips durations, latencies, what answering takes, the machine, the moment, the command as typed, and the places of cache
 * and records. Two runs with one seed, engine and version of the data leave records that are equal (deepEqual) after this.
 */
export function withoutTimes(record: RunRecord): object {
  const { createdAt: _, command: __, latency: ___, answering: ____, config, device, ...rest } = record;
  const { machine: _____, ...ran } = device;
  return withoutExecution({
    ...rest,
    config: Object.fromEntries(Object.entries(config).filter(([key]) => !places.includes(key))),
    device: ran,
  }) as object;
}

function withoutExecution(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutExecution);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'execution')
      .map(([key, member]) => [key, withoutExecution(member)]),
  );
}
