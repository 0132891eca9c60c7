/** What `--update-baseline` writes: the records that would be checked, and of a record whose figures did not move the old line. */
import { settingsOf } from '../comparison/names.js';
import { firstOf, groupSystems, type System } from '../comparison/systems.js';
import { BenchError } from '../errors.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { canonicalJson, keyOf } from '../store/hash.js';
import { type CostThresholds, checkLatency } from './cost.js';
import { type Evidence, evidenceIn } from './evidence.js';
import { changesOf } from './pairs.js';

export interface NextBaseline {
  records: readonly StoredRecord[];
  /** Records that stand there as before. */
  unchanged: number;
  /** What a reader should know: what is replaced, dropped, left out. */
  notes: readonly string[];
}

/**
 * @param named whether every record was named by itself: then all of them are meant, and none is left out as older
 * @throws BenchError RECORD_INVALID for a run that failed and was not made again since
 */
export function nextBaseline(
  before: readonly StoredRecord[],
  records: readonly StoredRecord[],
  thresholds: CostThresholds & { named: boolean },
): NextBaseline {
  const evidence = evidenceIn(before, records);
  refuseFailures(evidence);
  const chosen = thresholds.named ? records.filter(({ record }) => record.status === 'ok') : undefined;
  const { next, notes } = chosen === undefined ? choose(evidence, records) : { next: chosen, notes: [] };
  let unchanged = 0;
  const lines = next.map((stored) => {
    const old = before.find(({ record }) => isSameRun(record, stored.record));
    const keeps = old !== undefined && haveSameFigures(old, stored, thresholds);
    if (keeps) unchanged++;
    return { stored: keeps ? old : stored, place: placeIn(before, stored.record) };
  });
  lines.sort((a, b) => a.place - b.place);
  const written = lines.map(({ stored }) => stored);
  return { records: written, unchanged, notes: [...notes, ...severalSettings(written)] };
}

function refuseFailures({ failures }: Evidence): void {
  if (failures.length === 0) return;
  const list = failures.map(
    ({ file, record }) => `\n  ${file}: ${record.error?.message ?? 'no reason known'}`,
  );
  throw new BenchError('RECORD_INVALID', `Runs that failed are no baseline:${list.join('')}`, {
    hint: 'Make them again, or remove their records.',
  });
}

/** The newest of every system; of the baseline's own records, those that nothing newer stands for. */
function choose(
  { pairs, leftOut }: Evidence,
  records: readonly StoredRecord[],
): { next: StoredRecord[]; notes: string[] } {
  const given = new Set(records.map(({ record }) => keyOf(record)));
  const notes: string[] = [];
  const next = pairs.flatMap((pair) => {
    const { name, dataset, baseline, current, changes } = pair;
    if (changes.length > 0) notes.push(`${name} on ${dataset}: ${changes.join('; ')}`);
    const renewed = new Set(current?.runs.map(({ record }) => record.seed));
    // Seeds that were not run again stand for themselves as long as their records are there and the settings are these.
    const own = (baseline?.runs ?? []).filter(
      ({ record }) => changes.length === 0 && !renewed.has(record.seed) && given.has(keyOf(record)),
    );
    const runs = [...(current?.runs ?? []), ...own];
    if (runs.length === 0) notes.push(`${name} on ${dataset} is dropped: there is no record of it`);
    return runs;
  });
  const older = leftOut.filter(({ reason }) => reason.startsWith('older'));
  notes.push(...older.map(({ files, reason }) => `left out: ${files.join(', ')}: ${reason}`));
  return { next, notes };
}

/**
 * Several settings of one architecture are all held to in every check, which may not be meant.
 * @throws BenchError RECORD_INVALID where one run is there twice
 */
function severalSettings(records: readonly StoredRecord[]): string[] {
  const names = new Map<string, System[]>();
  for (const system of groupSystems(records)) {
    const { arch, dataset } = firstOf(system);
    const key = `${arch.name} on ${dataset.name}, ${dataset.split}`;
    names.set(key, [...(names.get(key) ?? []), system]);
  }
  return [...names].flatMap(([name, [first, ...others]]) =>
    others.map((other) => {
      const changes = changesOf(first!, other);
      if (changes.length > 0) return `${name} is there with several settings: ${changes.join('; ')}`;
      const files = `${first!.runs[0]!.file} and ${other.runs[0]!.file}`;
      throw new BenchError('RECORD_INVALID', `${name} is there twice for one seed: ${files}.`, {
        hint: 'Name one record for each run.',
      });
    }),
  );
}

const identityOf = ({ arch, dataset, seed }: RunRecord) =>
  canonicalJson([arch.name, dataset.name, dataset.split, seed]);

function isSameRun(a: RunRecord, b: RunRecord): boolean {
  return identityOf(a) === identityOf(b) && canonicalJson(settingsOf(a)) === canonicalJson(settingsOf(b));
}

/** Where the run stood before, with whatever settings; new ones come last. */
function placeIn(before: readonly StoredRecord[], record: RunRecord): number {
  const same = before.findIndex((old) => isSameRun(old.record, record));
  if (same >= 0) return same;
  const alike = before.findIndex((old) => identityOf(old.record) === identityOf(record));
  return alike >= 0 ? alike : before.length;
}

/** Everything that a check compares: accuracy and bytes to the last digit, latency within its threshold on one device. */
function haveSameFigures(a: StoredRecord, b: StoredRecord, thresholds: CostThresholds): boolean {
  const exact = ({ queryIds, measures, index, dataset, training }: RunRecord) =>
    canonicalJson({
      ...{ queryIds, measures, dataset },
      bytes: index?.sizeBytes,
      losses: training?.epochs.map(({ loss, dev }) => ({ loss, dev })),
    });
  if (exact(a.record) !== exact(b.record)) return false;
  if ((a.record.latency === undefined) !== (b.record.latency === undefined)) return false;
  const [baseline, current] = [a, b].map((stored): System => ({ name: '', runs: [stored] }));
  const times = checkLatency(
    { dataset: '', name: '', baseline: baseline!, current: current!, changes: [] },
    thresholds,
  );
  return times.every(({ verdict }) => verdict === 'same');
}
