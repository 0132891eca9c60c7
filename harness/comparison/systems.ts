/** Records become systems: runs that differ in nothing but the seed are one system. */
import { BenchError } from '../errors.js';
import type { RunRecord, StoredRecord } from '../record.js';
import type { SystemValues } from '../statistics/compare.js';
import { keyOf } from '../store/hash.js';
import { distinctNames, settingsOf } from './names.js';

export interface System {
  /** The architecture, and where that does not tell it from the others, the settings that do. */
  name: string;
  /** By seed, ascending; each seed once. */
  runs: readonly StoredRecord[];
}

/**
 * Groups records by everything but the seed, in the order in which each system comes first. A second record of the same
 * seed begins a system of its own: that is how two states of the program are compared. Failed runs are left out.
 * @param records of one dataset and split, where names are to be as short as they can be
 */
export function groupSystems(records: readonly StoredRecord[]): System[] {
  const groups: { key: string; runs: StoredRecord[] }[] = [];
  for (const stored of records) {
    if (stored.record.status === 'failed') continue;
    const key = keyOf([settingsOf(stored.record), stored.record.arch.name, datasetOf(stored.record)]);
    const group = groups.find(
      (each) => each.key === key && each.runs.every(({ record }) => record.seed !== stored.record.seed),
    );
    if (group === undefined) groups.push({ key, runs: [stored] });
    else group.runs.push(stored);
  }
  const names = distinctNames(groups.map(({ runs }) => runs[0]!));
  return groups.map(({ runs }, i) => ({
    name: names[i]!,
    runs: runs.sort((a, b) => (a.record.seed ?? 0) - (b.record.seed ?? 0)),
  }));
}

/** Which data a record was measured on; the version names the files too, whose contents a version may leave open. */
export function datasetOf({ dataset }: RunRecord): { name: string; version: string; split: string } {
  const { name, split, files, judgements } = dataset;
  // A file's name and format are nothing to the values.
  if (judgements !== undefined) return { name: 'judgements', version: judgements.slice(0, 12), split };
  return { name, version: versionWithFiles(dataset.version, files), split };
}

/** Which data distractors were added to, as the record of the dataset alone would say it. */
export function grownFrom({ dataset }: RunRecord): ReturnType<typeof datasetOf> {
  const { split, files, distractors } = dataset;
  const { name, version } = distractors?.to ?? dataset;
  return { name, version: versionWithFiles(version, files), split };
}

function versionWithFiles(version: string, files: RunRecord['dataset']['files']): string {
  if (files.length === 0) return version;
  return `${version}, files ${keyOf(files.map(({ name, sha256 }) => [name, sha256])).slice(0, 8)}`;
}

/** The first record stands for what all runs of a system share. */
export const firstOf = ({ runs }: System): RunRecord => runs[0]!.record;

/** Measures that every run of the system holds. */
export function measuresOf({ runs }: System): string[] {
  return Object.keys(runs[0]!.record.measures).filter((id) =>
    runs.every(({ record }) => Object.hasOwn(record.measures, id)),
  );
}

/**
 * The values of a system as the statistics take them.
 * @param seeds what stands for the seeds; a system without seeds (of another program) is the same under each of them
 * @throws BenchError RECORD_INVALID where the runs of the system do not hold the same queries
 */
function valuesOf(system: System, seeds?: readonly number[]): SystemValues {
  const first = firstOf(system);
  const queryIds = first.queryIds;
  const runs: readonly { seed: number; record: RunRecord; file: string }[] = hasSeeds(system)
    ? system.runs.map(({ record, file }) => ({ seed: record.seed!, record, file }))
    : (seeds ?? [0]).map((seed) => ({ seed, ...system.runs[0]! }));
  for (const { record, file } of runs) assertSameQueries(queryIds, record.queryIds, system, file);
  return {
    name: system.name,
    dataset: datasetOf(first),
    queryIds,
    measures: Object.fromEntries(
      measuresOf(system).map((id) => [
        id,
        runs.map(({ seed, record }) => ({ seed, values: record.measures[id]!.perQuery })),
      ]),
    ),
  };
}

/** Two systems as the statistics take them: where one has no seeds, it is paired with every seed of the other. */
export function pairOfValues(baseline: System, candidate: System): [SystemValues, SystemValues] {
  const seedsOf = (system: System) =>
    hasSeeds(system) ? system.runs.map(({ record }) => record.seed!) : undefined;
  return [valuesOf(baseline, seedsOf(candidate)), valuesOf(candidate, seedsOf(baseline))];
}

/** Where each query stands in each run; undefined where a run has others. */
export function ordersOf(queryIds: readonly string[], { runs }: System): (readonly number[])[] | undefined {
  const orders = runs.map(({ record }) => {
    const position = new Map(record.queryIds.map((queryId, q) => [queryId, q]));
    return position.size === queryIds.length ? queryIds.map((queryId) => position.get(queryId) ?? -1) : [-1];
  });
  return orders.some((order) => order.includes(-1)) ? undefined : orders;
}

export const hasSeeds = ({ runs }: System): boolean => runs.every(({ record }) => record.seed !== null);

function assertSameQueries(
  expected: readonly string[],
  queryIds: readonly string[],
  { name, runs }: System,
  file: string,
): void {
  if (expected.length === queryIds.length && expected.every((id, i) => queryIds[i] === id)) return;
  const at = expected.findIndex((id, i) => queryIds[i] !== id);
  throw new BenchError(
    'RECORD_INVALID',
    `The runs of ${name} do not hold the same queries in the same order: ${runs[0]!.file} has ${expected.length}, ${file} has ${queryIds.length}; they part at number ${(at < 0 ? expected.length : at) + 1}.`,
    { hint: 'Make the runs again on the same dataset and split.' },
  );
}
