/** A system of the baseline beside the same of now. */
import { settingsOf } from '../comparison/names.js';
import { datasetOf, firstOf, type System } from '../comparison/systems.js';
import { BenchError } from '../errors.js';

export interface PairedSystem {
  /** Dataset and split, in words. */
  dataset: string;
  name: string;
  baseline?: System;
  current?: System;
  /** Settings that differ, in words. */
  changes: string[];
}

/** @throws BenchError RECORD_INVALID where one run is there twice */
export function assertDistinct(systems: readonly System[]): void {
  const seen = new Map<string, System>();
  for (const system of systems) {
    const key = JSON.stringify([settingsOf(firstOf(system)), datasetOf(firstOf(system))]);
    const other = seen.get(key);
    if (other !== undefined) {
      throw new BenchError(
        'RECORD_INVALID',
        `${firstOf(system).arch.name} on ${firstOf(system).dataset.name} is there twice for one seed: ${other.runs[0]!.file} and ${system.runs[0]!.file}.`,
        { hint: 'Take one of them out, or make the baseline again with --update-baseline.' },
      );
    }
    seen.set(key, system);
  }
}

export function pairOf(baseline: System | undefined, current: System | undefined): PairedSystem {
  const system = (current ?? baseline)!;
  const { dataset, split } = { dataset: firstOf(system).dataset.name, split: firstOf(system).dataset.split };
  const pair = { dataset: `${dataset}, ${split}`, name: system.name };
  if (baseline === undefined || current === undefined) {
    return { ...pair, ...(baseline && { baseline }), ...(current && { current }), changes: [] };
  }
  return { ...pair, baseline, current, changes: changesOf(baseline, current) };
}

/** @throws BenchError RECORD_INVALID where a pair is of two dataset versions */
export function assertOneVersion({ name, baseline, current }: PairedSystem): void {
  if (baseline === undefined || current === undefined) return;
  const was = datasetOf(firstOf(baseline));
  const is = datasetOf(firstOf(current));
  if (was.version === is.version) return;
  throw new BenchError(
    'RECORD_INVALID',
    `The baseline of ${name} is of ${was.name} version ${was.version}, the record of version ${is.version}: they cannot be compared.`,
    { hint: 'Once the new version is what you want, make the baseline again with --update-baseline.' },
  );
}

/** Settings of either that differ, in words. */
export function changesOf(baseline: System, current: System): string[] {
  const was = settingsOf(firstOf(baseline));
  const is = settingsOf(firstOf(current));
  return [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((key) => was[key] !== is[key])
    .map((key) => `${key} was ${was[key] ?? 'not set'} and is ${is[key] ?? 'not set'}`);
}
