/** What a report tells of single runs: where each came from, and its values query by query. */
import type { ReportRun, ReportValues } from '../contracts.js';
import type { StoredRecord } from '../record.js';
import { describeDevice } from './devices.js';
import type { System } from './systems.js';

/** The values of every query. @param measures ids of those wanted; all where absent */
export function valuesIn({ name, runs }: System, measures?: readonly string[]): ReportValues[] {
  return runs.map(({ record }) => ({
    system: name,
    seed: record.seed,
    queryIds: record.queryIds,
    measures: Object.fromEntries(
      Object.entries(record.measures)
        .filter(([id]) => measures?.includes(id) ?? true)
        .map(([id, { perQuery }]) => [id, perQuery]),
    ),
  }));
}

export function runOf({ file, record }: StoredRecord, systems: readonly System[]): ReportRun {
  const { arch, seed, status, error, createdAt, command, model, device, stages, warnings, latency } = record;
  const system = systems.find(({ runs }) => runs.some((run) => run.record === record));
  return {
    file,
    system: system?.name ?? arch.name,
    seed,
    status,
    ...(error && { error: { code: error.code, message: error.message } }),
    createdAt,
    command: ['bench', ...command].join(' '),
    ...(model && {
      model: `${model.name} (${model.kind}, ${model.parameterCount.toLocaleString('en-US')} parameters)`,
    }),
    device: describeDevice(record),
    versions: device.versions,
    commit: device.git === null ? null : `${device.git.commit}${device.git.dirty ? ', with changes' : ''}`,
    stages: stages.map(({ name, execution }) => ({
      name,
      seconds: execution.seconds,
      cached: execution.cached,
    })),
    warnings: [...warnings, ...(latency?.warnings ?? [])],
  };
}
