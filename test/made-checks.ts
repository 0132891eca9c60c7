/** Checks of made records, and what they came to. */
import assert from 'node:assert/strict';
import type { ReportCheck } from '../harness/contracts.js';
import type { StoredRecord } from '../harness/record.js';
import { type CheckRequest, checkRegressions } from '../harness/regression.js';

export const thresholds = { accuracyDrop: 0.02, significance: 0.05, latencyRatio: 1.5, sizeBytes: 0 };
/** Of every record: enough for small differences to be seen. */
export const queries = 2000;

/** The records as if they had been made after the baseline. */
export function check(
  before: readonly StoredRecord[],
  now: readonly StoredRecord[],
  request: CheckRequest = thresholds,
) {
  return checkRegressions(before, now.map(later), request);
}

const later = ({ file, record }: StoredRecord): StoredRecord => ({
  file,
  record: { ...record, createdAt: '2026-01-03T00:00:00.000Z' },
});

export function named(checks: readonly ReportCheck[], name: string): ReportCheck {
  return checks.find((each) => each.name === name) ?? assert.fail(`${name} was not checked`);
}

export const worse = (checks: readonly ReportCheck[]) =>
  checks.filter(({ verdict }) => verdict === 'worse').map(({ name }) => name);
