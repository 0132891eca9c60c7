/**
 * Which records say how the program does now. A folder of results holds what was left there before too: the records that
 * the baseline was made from, runs with other settings, attempts that failed. The newest of a system is what counts,
 * whatever its settings, and a record of the baseline itself says nothing about what came after it.
 */
import { groupSystems, type System } from '../comparison/systems.js';
import type { RunRecord, StoredRecord } from '../record.js';
import { keyOf } from '../store/hash.js';
import { assertDistinct, changesOf, type PairedSystem, pairOf } from './pairs.js';

/** Records that were given and not compared, and why. */
export interface LeftOut {
  /** Dataset and split, in words. */
  dataset: string;
  system: string;
  files: readonly string[];
  reason: string;
}

export interface Evidence {
  /** Every system of the baseline, with the runs that count where there are some; then systems that it does not have. */
  pairs: readonly PairedSystem[];
  /** Runs that failed, and were not made again since. */
  failures: readonly StoredRecord[];
  leftOut: readonly LeftOut[];
}

/**
 * A system is recognised by dataset, split and architecture. Where the baseline has it with several settings, runs belong
 * to those that theirs differ least from.
 * @throws BenchError RECORD_INVALID where the baseline holds a run twice
 */
export function evidenceIn(baseline: readonly StoredRecord[], records: readonly StoredRecord[]): Evidence {
  const ownKeys = new Set(baseline.map(({ record }) => keyOf(record)));
  const given = new Map<string, StoredRecord>();
  for (const stored of records) {
    const key = keyOf(stored.record);
    if (!given.has(key)) given.set(key, stored);
  }
  const own = new Set([...given].flatMap(([key, stored]) => (ownKeys.has(key) ? [stored] : [])));
  const newestFirst = [...given.values()].sort(
    (a, b) => momentOf(b) - momentOf(a) || Number(own.has(a)) - Number(own.has(b)),
  );
  const before = bySameness(baseline);
  const now = bySameness(newestFirst);
  const keys = new Set([...before.keys(), ...now.keys()]);
  const sorted = [...keys].map((key) => evidenceOfOne(before.get(key) ?? [], now.get(key) ?? [], own));
  return {
    pairs: sorted.flatMap(({ pairs }) => pairs),
    failures: newestFirst.filter((stored) => isFailureNow(stored, newestFirst)),
    leftOut: sorted.flatMap(({ leftOut }) => leftOut),
  };
}

/** @returns what may be compared with the baseline in these records, failures too; 0 where they are all its own */
export function newRecords({ pairs, failures }: Evidence): number {
  return pairs.filter(({ current }) => current !== undefined).length + failures.length;
}

const momentOf = ({ record }: StoredRecord) => Date.parse(record.createdAt);

const samenessOf = ({ arch, dataset }: RunRecord) => JSON.stringify([dataset.name, dataset.split, arch.name]);

function bySameness(records: readonly StoredRecord[]): Map<string, System[]> {
  const groups = new Map<string, StoredRecord[]>();
  for (const stored of records) {
    const key = samenessOf(stored.record);
    groups.set(key, [...(groups.get(key) ?? []), stored]);
  }
  return new Map([...groups].map(([key, group]) => [key, groupSystems(group)]));
}

/** A failed run was made again where a newer record of the same system and seed ended well. */
function isFailureNow({ record }: StoredRecord, records: readonly StoredRecord[]): boolean {
  if (record.status !== 'failed') return false;
  return !records.some(
    ({ record: other }) =>
      other.status === 'ok' &&
      samenessOf(other) === samenessOf(record) &&
      other.seed === record.seed &&
      Date.parse(other.createdAt) > Date.parse(record.createdAt),
  );
}

/** @param now the newest first */
function evidenceOfOne(
  before: readonly System[],
  now: readonly System[],
  own: ReadonlySet<StoredRecord>,
): Pick<Evidence, 'pairs' | 'leftOut'> {
  assertDistinct(before);
  const fresh = (system: System): System => ({
    ...system,
    runs: system.runs.filter((stored) => !own.has(stored)),
  });
  const pairs: PairedSystem[] = [];
  const leftOut: LeftOut[] = [];
  const leave = (pair: PairedSystem, runs: readonly StoredRecord[], reason: string) => {
    if (runs.length === 0) return;
    const files = runs.map(({ file }) => file).sort();
    leftOut.push({ dataset: pair.dataset, system: pair.name, files, reason });
  };
  if (before.length === 0) {
    // Of the same settings and seed, too, the newest is the one that is meant.
    for (const system of now) {
      const newer = pairs.find(({ current }) => changesOf(current!, system).length === 0);
      if (newer === undefined) pairs.push(pairOf(undefined, system));
      else leave(newer, system.runs, olderThan(newer.current!));
    }
    return { pairs, leftOut };
  }
  const attached = attach(before, now, fresh);
  for (const system of before) {
    const [newest, ...older] = attached.get(system) ?? [];
    const counted = newest === undefined ? undefined : fresh(newest);
    const pair = pairOf(system, counted?.runs.length ? counted : undefined);
    pairs.push(pair);
    const all = [newest, ...older].flatMap((each) => each?.runs ?? []);
    leave(
      pair,
      all.filter((stored) => own.has(stored)),
      'of the baseline itself, which says nothing about what came after it',
    );
    if (newest === undefined) continue;
    leave(
      pair,
      older.flatMap((each) => fresh(each).runs),
      olderThan(newest),
    );
  }
  return { pairs, leftOut };
}

const olderThan = ({ runs }: System): string => `older than ${runs[0]!.file}`;

/** By system of the baseline: those of now whose settings differ least from its, in the order given. */
function attach(
  before: readonly System[],
  now: readonly System[],
  fresh: (system: System) => System,
): Map<System, System[]> {
  const renewed = new Set(
    before.filter((system) =>
      now.some((each) => fresh(each).runs.length > 0 && changesOf(system, each).length === 0),
    ),
  );
  const attached = new Map<System, System[]>();
  for (const system of now) {
    const counts = before.map((each) => changesOf(each, system).length);
    const nearest = before.filter((_, i) => counts[i] === Math.min(...counts));
    const chosen = nearest.find((each) => !renewed.has(each)) ?? nearest[0]!;
    attached.set(chosen, [...(attached.get(chosen) ?? []), system]);
  }
  return attached;
}
