/** Whether a value is a run record: record.schema.json, and what a schema cannot say. */
import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { mean } from '../statistics/summary.js';
import { type RunRecord, recordSchemaVersion } from './run-record.js';

/** Faults shown of one record. */
const shown = 10;

let compiled: ValidateFunction | undefined;

function validator(): ValidateFunction {
  if (compiled === undefined) {
    // The schema lies beside the sources, outside dist, so that other tools find it too.
    const file = new URL('../../../harness/record.schema.json', import.meta.url);
    const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, verbose: true });
    compiled = ajv.compile(parseJson(readFileSync(file, 'utf8')) as object);
  }
  return compiled;
}

/**
 * Gives the value back as a run record.
 * @param name of the file, for the error
 * @throws BenchError RECORD_INVALID that names the schema version it cannot read, or every fault with its JSON path
 */
export function assertRecord(value: unknown, name: string): RunRecord {
  assertVersion(value, name);
  const validate = validator();
  if (!validate(value)) {
    // Beside the fault itself, a failed "if" says only that one of its branches failed.
    const faults = (validate.errors ?? []).filter(({ keyword }) => keyword !== 'if').map(faultOf);
    throw invalid(name, faults);
  }
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

function faultOf({ instancePath, message, keyword, params, data }: ErrorObject): string {
  const path = jsonPath(instancePath.split('/').slice(1).map(unescapePointer));
  if (keyword === 'additionalProperties') return `${path} must not have '${params.additionalProperty}'`;
  if (keyword === 'required') return `${path} lacks '${params.missingProperty}'`;
  if (keyword === 'false schema') return `${path} must not be there`;
  const seen = JSON.stringify(data) ?? String(data);
  return `${path} ${message}, not ${shortened(Number.isNaN(data) ? 'NaN' : seen)}`;
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

/** `$.measures["mrr@10"].perQuery[3]` */
export function jsonPath(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (/^\d+$/.test(String(key))) return `${path}[${key}]`;
    return /^[A-Za-z_]\w*$/.test(String(key)) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, '$');
}

function unescapePointer(text: string): string {
  return text.replaceAll('~1', '/').replaceAll('~0', '~');
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
