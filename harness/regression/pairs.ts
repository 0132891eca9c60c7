/** Which system of the baseline belongs to which of now. */
import { settingsOf } from '../comparison/names.js';
import { datasetOf, firstOf, groupSystems, type System } from '../comparison/systems.js';
import { BenchError } from '../errors.js';
import type { StoredRecord } from '../record.js';

export interface PairedSystem {
  /** Dataset and split, in words. */
  dataset: string;
  name: string;
  baseline?: System;
  current?: System;
  /** Settings that differ, in words. */
  changes: string[];
}

/**
 * A system is the same as before where architecture, dataset and split are. Where several are, their settings decide;
 * where one is left on either side these two are a pair whose settings have changed.
 * @throws BenchError RECORD_INVALID where a pair is of two dataset versions, or a run is given twice
 */
export function pairSystems(before: readonly StoredRecord[], now: readonly StoredRecord[]): PairedSystem[] {
  const old = bySameness(before);
  const current = bySameness(now);
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((key) =>
    pairAlike(old.get(key) ?? [], current.get(key) ?? []),
  );
}

function bySameness(records: readonly StoredRecord[]): Map<string, System[]> {
  const groups = new Map<string, StoredRecord[]>();
  for (const stored of records) {
    const { arch, dataset } = stored.record;
    const key = JSON.stringify([dataset.name, dataset.split, arch.name]);
    groups.set(key, [...(groups.get(key) ?? []), stored]);
  }
  return new Map([...groups].map(([key, group]) => [key, groupSystems(group)]));
}

function pairAlike(before: readonly System[], now: readonly System[]): PairedSystem[] {
  assertDistinct(before);
  assertDistinct(now);
  const left = new Set(before);
  const pairs: PairedSystem[] = [];
  const unmatched: System[] = [];
  for (const current of now) {
    const settings = JSON.stringify(settingsOf(firstOf(current)));
    const same = [...left].find((system) => JSON.stringify(settingsOf(firstOf(system))) === settings);
    if (same === undefined) unmatched.push(current);
    else {
      left.delete(same);
      pairs.push(pairOf(same, current));
    }
  }
  if (unmatched.length === 1 && left.size === 1) return [...pairs, pairOf([...left][0], unmatched[0])];
  return [
    ...pairs,
    ...[...left].map((system) => pairOf(system, undefined)),
    ...unmatched.map((system) => pairOf(undefined, system)),
  ];
}

function assertDistinct(systems: readonly System[]): void {
  const seen = new Map<string, System>();
  for (const system of systems) {
    const key = JSON.stringify([settingsOf(firstOf(system)), datasetOf(firstOf(system))]);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new BenchError(
        'RECORD_INVALID',
        `${firstOf(system).arch.name} on ${firstOf(system).dataset.name} is there twice for one seed: ${other.runs[0]!.file} and ${system.runs[0]!.file}.`,
        { hint: 'Give one record for each run: an old one in the same folder can go.' },
      );
    }
    seen.set(key, system);
  }
}

function pairOf(baseline: System | undefined, current: System | undefined): PairedSystem {
  const system = (current ?? baseline)!;
  const { dataset, split } = { dataset: firstOf(system).dataset.name, split: firstOf(system).dataset.split };
  const pair = { dataset: `${dataset}, ${split}`, name: system.name };
  if (baseline === undefined || current === undefined) {
    return { ...pair, ...(baseline && { baseline }), ...(current && { current }), changes: [] };
  }
  const was = datasetOf(firstOf(baseline));
  const is = datasetOf(firstOf(current));
  if (was.version !== is.version) {
    throw new BenchError(
      'RECORD_INVALID',
      `The baseline of ${system.name} is of ${was.name} version ${was.version}, the record of version ${is.version}: they cannot be compared.`,
      { hint: 'Once the new version is what you want, make the baseline again with --update-baseline.' },
    );
  }
  return { ...pair, baseline, current, changes: changesOf(baseline, current) };
}

function changesOf(baseline: System, current: System): string[] {
  const was = settingsOf(firstOf(baseline));
  const is = settingsOf(firstOf(current));
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => was[key] !== is[key])
    .map((key) => `${key} was ${was[key] ?? 'not set'} and is ${is[key] ?? 'not set'}`);
}
