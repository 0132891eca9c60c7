/** Whether runs got worse than a stored baseline: the logic of `bench check`. */
import { type groupSystems, measuresOf } from './comparison/systems.js';
import type { ReportCheck } from './contracts.js';
import { BenchError } from './errors.js';
import type { StoredRecord } from './record.js';
import { type AccuracyThresholds, checkAccuracy } from './regression/accuracy.js';
import { type CostThresholds, checkLatency, checkSize } from './regression/cost.js';
import { type Evidence, evidenceIn, newRecords } from './regression/evidence.js';
import { assertOneVersion, type PairedSystem } from './regression/pairs.js';
import { seedSides } from './regression/seeds.js';

export { readBaseline, readBaselineIfAny, writeBaseline } from './regression/baseline.js';
export { type NextBaseline, nextBaseline } from './regression/next-baseline.js';

export type Thresholds = AccuracyThresholds & CostThresholds;

export interface CheckRequest extends Thresholds {
  /** Whether a system of the baseline, or a measure of one, may be absent from the records. */
  allowMissing?: boolean;
}

/**
 * Compares records with those of a baseline, system by system: of each the newest, see `evidenceIn`.
 * @returns every comparison made; one of them being `worse` is a regression. A system of the baseline of which there is
 *   no new record, and a measure that is no longer taken, are worse too, unless `allowMissing`: a run that fails must not
 *   look like a run that passes.
 * @throws BenchError RECORD_INVALID where the two are of other dataset versions or queries, and where nothing was compared
 */
export function checkRegressions(
  baseline: readonly StoredRecord[],
  records: readonly StoredRecord[],
  request: CheckRequest,
): ReportCheck[] {
  const evidence = evidenceIn(baseline, records);
  if (newRecords(evidence) === 0) throw nothingNew(records.length);
  const { pairs } = evidence;
  for (const pair of pairs) assertOneVersion(pair);
  const allowMissing = request.allowMissing === true;
  const checks = [
    ...failures(evidence),
    ...pairs.flatMap((pair) => runChecks(pair, allowMissing)),
    ...leftOut(evidence),
    ...pairs.flatMap((pair) => lostMeasures(pair, allowMissing)),
    ...checkAccuracy(pairs, request),
    ...pairs.flatMap((pair) => [...checkLatency(pair, request), ...checkSize(pair, request)]),
  ];
  if (checks.every(({ verdict }) => verdict === 'not compared' || verdict === 'changed')) {
    throw nothingCompared(checks);
  }
  return checks;
}

function nothingNew(given: number): BenchError {
  const all = given === 1 ? 'The one record is' : `All ${given} records are`;
  return new BenchError('RECORD_INVALID', `There is nothing new to check: ${all} of the baseline itself.`, {
    hint: 'Make the runs again with bench run, then check them.',
  });
}

function nothingCompared(checks: readonly ReportCheck[]): BenchError {
  const lines = checks.map(({ system, name, detail }) => `\n  ${system}, ${name}: ${detail}`);
  return new BenchError(
    'RECORD_INVALID',
    `Nothing in these records could be compared with the baseline:${lines.join('')}`,
    { hint: 'Make the runs of the baseline again, or a new baseline with --update-baseline.' },
  );
}

type Systems = ReturnType<typeof groupSystems>[number];

function failures({ failures: failed }: Evidence): ReportCheck[] {
  return failed.map(({ file, record: { arch, dataset, error, seed } }) => ({
    system: arch.name,
    dataset: `${dataset.name}, ${dataset.split}`,
    name: seed === null ? 'run' : `run, seed ${seed}`,
    verdict: 'worse',
    detail: `failed: ${error?.message ?? 'no reason known'} (${file})`,
  }));
}

/** Whether there are runs, and what of them is otherwise than it was. */
function runChecks(pair: PairedSystem, allowMissing: boolean): ReportCheck[] {
  const check = { system: pair.name, dataset: pair.dataset, name: 'run' } as const;
  if (pair.baseline === undefined) {
    return [{ ...check, verdict: 'not compared', detail: 'the baseline does not have it yet' }];
  }
  if (pair.current === undefined) {
    const verdict = allowMissing ? 'not compared' : 'worse';
    return [{ ...check, verdict, detail: 'there is no new record of it' }];
  }
  const notes = [...seedChange(pair.baseline, pair.current), ...mixedPrograms(pair.current)];
  return [
    ...pair.changes.map((detail): ReportCheck => ({ ...check, name: 'setting', verdict: 'changed', detail })),
    ...notes.map((detail): ReportCheck => ({ ...check, verdict: 'changed', detail })),
  ];
}

function seedChange(baseline: Systems, current: Systems): string[] {
  const seeds = ({ runs }: Systems) => runs.map(({ record }) => record.seed).join(', ');
  return seeds(baseline) === seeds(current)
    ? []
    : [`seeds were ${seeds(baseline)} and are ${seeds(current)}`];
}

/** Seeds left over from an earlier commit tell of that one. */
function mixedPrograms({ runs }: Systems): string[] {
  const commits = new Map<string | undefined, (number | null)[]>();
  for (const { record } of runs) {
    const commit = record.device.git?.commit;
    commits.set(commit, [...(commits.get(commit) ?? []), record.seed]);
  }
  if (commits.size < 2) return [];
  const parts = [...commits].map(
    ([commit, seeds]) =>
      `seed ${seeds.join(', ')} of ${commit === undefined ? 'no known commit' : `commit ${commit.slice(0, 12)}`}`,
  );
  return [`its runs were made by several programs: ${parts.join('; ')}`];
}

function leftOut({ leftOut: left }: Evidence): ReportCheck[] {
  return left.map(({ dataset, system, files, reason }) => ({
    ...{ dataset, system, name: 'run' },
    verdict: 'not compared',
    detail: `${files.join(', ')}: ${reason}`,
  }));
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
