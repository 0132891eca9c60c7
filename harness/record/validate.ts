/** Whether a value is a run record: record.schema.json, and what a schema cannot say. */
import { readFileSync } from 'node:fs';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { faultFinder, jsonPath } from '../json-schema.js';
import { mean } from '../statistics/summary.js';
import { type RunRecord, recordSchemaVersion } from './run-record.js';

/** Faults shown of one record. */
const shown = 10;

// The schema lies beside the sources, outside dist, so that other tools find it too.
const schemaFile = new URL('../../../harness/record.schema.json', import.meta.url);
const faultsOf = faultFinder(() => parseJson(readFileSync(schemaFile, 'utf8')) as object);

/**
 * Gives the value back as a run record.
 * @param name of the file, for the error
 * @throws BenchError RECORD_INVALID that names the schema version it cannot read, or every fault with its JSON path
 */
export function assertRecord(value: unknown, name: string): RunRecord {
  assertVersion(value, name);
  const wrong = faultsOf(value);
  if (wrong.length > 0) throw invalid(name, wrong);
  const record = value as RunRecord;
  const faults = inconsistencies(record);
  if (faults.length > 0) throw invalid(name, faults);
  return record;
}

function assertVersion(value: unknown, name: string): void {
  const version = (value as { schemaVersion?: unknown } | null)?.schemaVersion;
  if (version === recordSchemaVersion) return;
  if (version === undefined || typeof value !== 'object') {
    throw new BenchError('RECORD_INVALID', `${name} is no run record: it has no schemaVersion.`, {
      hint: 'Name a file that bench run left, or a folder of such files.',
    });
  }
  const newer = typeof version === 'number' && version > recordSchemaVersion;
  throw new BenchError(
    'RECORD_INVALID',
    `${name} is a run record of schema version ${JSON.stringify(version)}; this bench reads version ${recordSchemaVersion}.`,
    {
      hint: newer
        ? 'It was made by a newer bench: update this one.'
        : 'Make the record again with this version of bench.',
    },
  );
}

function inconsistencies({ queryIds, measures, latency }: RunRecord): string[] {
  const faults: string[] = [];
  for (const [id, { mean: stated, perQuery }] of Object.entries(measures)) {
    const path = jsonPath(['measures', id]);
    if (perQuery.length !== queryIds.length) {
      faults.push(`${path}.perQuery has ${perQuery.length} values for ${queryIds.length} queries`);
      continue;
    }
    const expected = perQuery.length === 0 ? Number.NaN : mean(perQuery);
    if (Math.abs(stated - expected) > 1e-9 * Math.max(1, Math.abs(expected))) {
      faults.push(`${path}.mean is ${stated}, and the mean of its values is ${expected}`);
    }
  }
  if (latency === undefined) return faults;
  const samples = latency.queryIds.length * latency.rounds;
  for (const part of ['tokenize', 'encode', 'search', 'total'] as const) {
    const count = latency[part]?.samplesMs.length ?? samples;
    if (count !== samples) {
      faults.push(`$.latency.${part}.samplesMs has ${count} values for ${samples} queries and rounds`);
    }
  }
  return faults;
}

/** The error for a record with these faults. */
export function invalid(name: string, faults: readonly string[]): BenchError {
  const more = faults.length > shown ? [`and ${faults.length - shown} more`] : [];
  const list = [...faults.slice(0, shown), ...more].map((fault) => `\n  ${fault}`).join('');
  return new BenchError('RECORD_INVALID', `${name} is not a valid run record:${list}`, {
    hint: 'If it was edited by hand, put it back; else make it again with bench run.',
  });
}
