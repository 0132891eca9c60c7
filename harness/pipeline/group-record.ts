/** The record of a name that stands for several datasets: every figure is the mean over theirs, each counting the same. */

import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { DataFile, Split } from '../contracts.js';
import { counted } from '../counted.js';
import { datasetsNamed } from '../plugins.js';
import type { Progress } from '../progress.js';
import {
  type DatasetFacts,
  type IndexFacts,
  type RunRecord,
  recordSuffix,
  type SplitCounts,
  type StoredRecord,
  writeRecord,
} from '../record.js';
import { mean } from '../statistics/summary.js';
import { keyOf } from '../store/hash.js';
import { decidingSettings } from './record-stage.js';

/**
 * Averages the groups among `names`, for every architecture and seed whose records are all there and without failure, and
 * writes the averages beside the records. What cannot be averaged is said.
 * @param records of the members, in any order, others among them
 * @param out folder of records
 */
export async function averageGroups(
  names: readonly string[],
  records: readonly RunRecord[],
  out: string,
  progress: Progress,
): Promise<StoredRecord[]> {
  const averages: StoredRecord[] = [];
  for (const name of names) {
    const members = await datasetsNamed(name);
    if (members.length === 1) continue;
    for (const [system, bySystem] of systemsOf(records)) {
      const own = members.map((member) => bySystem.get(member));
      const lacking = members.filter((_, i) => own[i]?.status !== 'ok');
      if (lacking.length === members.length) continue;
      if (lacking.length > 0) {
        progress.note(`${name} is not averaged for ${system}: ${lacking.join(', ')} did not end well`);
        continue;
      }
      const record = averageOf(name, own as RunRecord[]);
      const { arch, seed, config, dataset } = record;
      const settings = keyOf({ deciding: decidingSettings(config as BenchConfig), files: dataset.files });
      const stem = `${name.replace(/[/:]/g, '-')}-${arch.name}-${seed}-${settings.slice(0, 8)}`;
      const file = path.join(out, `${stem}${recordSuffix}`);
      await writeRecord(file, record);
      progress.note(`record: ${file}`);
      averages.push({ file, record });
    }
  }
  return averages;
}

/** By architecture and seed: its records by dataset. */
function systemsOf(records: readonly RunRecord[]): Map<string, Map<string, RunRecord>> {
  const systems = new Map<string, Map<string, RunRecord>>();
  for (const record of records) {
    const system = `${record.arch.name}, seed ${record.seed}`;
    const bySystem = systems.get(system) ?? new Map<string, RunRecord>();
    systems.set(system, bySystem.set(record.dataset.name, record));
  }
  return systems;
}

/**
 * In place of queries it has its members: `queryIds` are their names and `perQuery` their means, so that whatever compares
 * records pairs them by dataset. Latencies and trainings stay with the members.
 * @param records of one architecture and seed, one per member
 */
export function averageOf(name: string, records: readonly RunRecord[]): RunRecord {
  const first = records[0]!;
  const { schemaVersion, benchVersion, command, seed, preset, config, arch, model, device } = first;
  const ids = Object.keys(first.measures).filter((id) => records.every(({ measures }) => id in measures));
  const queries = records.reduce((sum, { queryIds }) => sum + queryIds.length, 0);
  return {
    schemaVersion,
    benchVersion,
    createdAt: new Date().toISOString(),
    command,
    status: 'ok',
    seed,
    preset,
    config,
    arch,
    dataset: datasetOf(name, records),
    ...(model && { model }),
    device,
    stages: [],
    ...(records.every(({ index }) => index !== undefined) && { index: indexOf(records) }),
    queryIds: records.map(({ dataset }) => dataset.name),
    measures: Object.fromEntries(
      ids.map((id) => {
        const { higherIsBetter, unit, description } = first.measures[id]!;
        const perQuery = records.map(({ measures }) => measures[id]!.mean);
        return [id, { mean: mean(perQuery), higherIsBetter, ...(unit && { unit }), description, perQuery }];
      }),
    ),
    warnings: [
      `Figures are means over ${counted(records.length, 'datasets')} of ${counted(queries, 'queries')} together, each dataset counting the same.`,
      // A remark that is true of every member is said once.
      ...new Set(
        records.flatMap(({ dataset, warnings }) =>
          warnings.map((each) => each.replaceAll(dataset.name, name)),
        ),
      ),
    ],
  };
}

const none: SplitCounts = { queries: 0, qrels: 0 };

function datasetOf(name: string, records: readonly RunRecord[]): DatasetFacts {
  const { version, licence, split, tieRule } = records[0]!.dataset;
  const counts: Partial<Record<Split, SplitCounts>> = {};
  for (const each of ['train', 'dev', 'test'] as const) {
    const own = records.map(({ dataset }) => dataset.counts[each] ?? none);
    const known = own.every(({ withPositive }) => withPositive !== undefined);
    counts[each] = {
      queries: sumOf(own, (c) => c.queries),
      qrels: sumOf(own, (c) => c.qrels),
      ...(known && { withPositive: sumOf(own, (c) => c.withPositive!) }),
    };
  }
  return {
    name,
    version,
    licence,
    files: records.flatMap(({ dataset }) =>
      dataset.files.map((file): DataFile => ({ ...file, name: `${dataset.name}/${file.name}` })),
    ),
    passageCount: sumOf(records, ({ dataset }) => dataset.passageCount ?? 0),
    split,
    counts,
    ...(tieRule && { tieRule }),
    members: records.map(({ dataset }) => dataset.name),
  };
}

/** The index of all members together. */
function indexOf(records: readonly RunRecord[]): IndexFacts {
  const indexes = records.map(({ index }) => index!);
  const { kind, dimensions, projectedPassages } = indexes[0]!;
  const parts = Object.keys(indexes[0]!.sizeBytes) as (keyof IndexFacts['sizeBytes'])[];
  const passages = sumOf(records, ({ dataset }) => dataset.passageCount ?? 0);
  const weighted = (value: (index: IndexFacts) => number) =>
    sumOf(records, ({ dataset, index }) => (dataset.passageCount ?? 0) * value(index!)) / passages;
  return {
    kind,
    vectorsPerPassage: weighted(({ vectorsPerPassage }) => vectorsPerPassage),
    rows: sumOf(indexes, ({ rows }) => rows),
    dimensions,
    shards: sumOf(indexes, ({ shards }) => shards),
    sizeBytes: Object.fromEntries(
      parts.map((part) => [part, sumOf(indexes, ({ sizeBytes }) => sizeBytes[part] ?? 0)]),
    ) as unknown as IndexFacts['sizeBytes'],
    projectedBytes: Math.round(weighted(({ projectedBytes }) => projectedBytes)),
    projectedPassages,
  };
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}
