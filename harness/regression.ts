/** Whether runs got worse than a stored baseline: the logic of `bench check`. */
import { type groupSystems, measuresOf } from './comparison/systems.js';
import type { ReportCheck } from './contracts.js';
import type { StoredRecord } from './record.js';
import { type AccuracyThresholds, checkAccuracy } from './regression/accuracy.js';
import { type CostThresholds, checkLatency, checkSize } from './regression/cost.js';
import { type PairedSystem, pairSystems } from './regression/pairs.js';
import { seedSides } from './regression/seeds.js';

export { readBaseline, writeBaseline } from './regression/baseline.js';

export type Thresholds = AccuracyThresholds & CostThresholds;

export interface CheckRequest extends Thresholds {
  /** Whether a system of the baseline, or a measure of one, may be absent from the records. */
  allowMissing?: boolean;
}

/**
 * Compares records with those of a baseline, system by system.
 * @returns every comparison made; one of them being `worse` is a regression. A system of the baseline of which there is
 *   no record, and a measure that is no longer taken, are worse too, unless `allowMissing`: a run that fails must not look
 *   like a run that passes.
 * @throws BenchError RECORD_INVALID where the two are of other dataset versions or queries
 */
export function checkRegressions(
  baseline: readonly StoredRecord[],
  records: readonly StoredRecord[],
  request: CheckRequest,
): ReportCheck[] {
  const pairs = pairSystems(baseline, records);
  return [
    ...failures(records),
    ...pairs.flatMap((pair): ReportCheck[] => {
      const check = { system: pair.name, dataset: pair.dataset, name: 'run' } as const;
      if (pair.baseline === undefined) {
        return [{ ...check, verdict: 'not compared', detail: 'the baseline does not have it yet' }];
      }
      if (pair.current === undefined) {
        const verdict = request.allowMissing === true ? 'not compared' : 'worse';
        return [{ ...check, verdict, detail: 'there is no record of it' }];
      }
      const notes = [...pair.changes, ...seedChange(pair.baseline, pair.current)];
      return notes.length === 0 ? [] : [{ ...check, verdict: 'same', detail: notes.join('; ') }];
    }),
    ...pairs.flatMap((pair) => lostMeasures(pair, request.allowMissing === true)),
    ...checkAccuracy(pairs, request),
    ...pairs.flatMap((pair) => [...checkLatency(pair, request), ...checkSize(pair, request)]),
  ];
}

type Systems = ReturnType<typeof groupSystems>[number];

function failures(records: readonly StoredRecord[]): ReportCheck[] {
  return records
    .filter(({ record }) => record.status === 'failed')
    .map(({ record: { arch, dataset, error, seed } }) => ({
      system: arch.name,
      dataset: `${dataset.name}, ${dataset.split}`,
      name: seed === null ? 'run' : `run, seed ${seed}`,
      verdict: 'worse',
      detail: `failed: ${error?.message ?? 'no reason known'}`,
    }));
}

function seedChange(baseline: Systems, current: Systems): string[] {
  const seeds = ({ runs }: Systems) => runs.map(({ record }) => record.seed).join(', ');
  return seeds(baseline) === seeds(current)
    ? []
    : [`seeds were ${seeds(baseline)} and are ${seeds(current)}`];
}

/** What the baseline measures and the runs compared with it do not: nobody knows whether it got worse. */
function lostMeasures(
  { name: system, dataset, baseline, current }: PairedSystem,
  allowed: boolean,
): ReportCheck[] {
  if (baseline === undefined || current === undefined) return [];
  const sides = seedSides(baseline, current) ?? { baseline, current };
  const held = measuresOf(sides.current);
  return measuresOf(sides.baseline)
    .filter((id) => !held.includes(id))
    .map((id) => ({
      system,
      dataset,
      name: `accuracy ${id}`,
      verdict: allowed ? 'not compared' : 'worse',
      detail: 'no longer measured',
    }));
}
