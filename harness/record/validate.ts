/** Whether a value is a run record: record.schema.json, and what a schema cannot say. */
import { readFileSync } from 'node:fs';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { faultFinder, jsonPath } from '../json-schema.js';
import { mean } from '../statistics/summary.js';
import { type LatencyFacts, type RunRecord, recordSchemaVersion } from './run-record.js';

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
  return [...faults, ...sampleFaults(latency)];
}

/** Samples that are more or fewer than what they are of. */
function sampleFaults({
  queryIds,
  rounds,
  processes,
  oneThread,
  cold = [],
  load,
  ...parts
}: LatencyFacts): string[] {
  const faults: string[] = [];
  if (processes !== undefined && processes !== rounds)
    faults.push(`$.latency.processes is ${processes}, and there are ${rounds} rounds, one in each`);
  const count = (path: string, samples: readonly number[] | undefined, wanted: number, of: string) => {
    if (samples !== undefined && samples.length !== wanted)
      faults.push(`$.latency.${path}.samplesMs has ${samples.length} values for ${wanted} ${of}`);
  };
  for (const part of ['tokenize', 'encode', 'search', 'total'] as const) {
    count(part, parts[part]?.samplesMs, queryIds.length * rounds, 'queries and rounds');
    count(`oneThread.${part}`, oneThread?.[part]?.samplesMs, queryIds.length, 'queries');
  }
  for (const [i, start] of cold.entries()) count(`cold[${i}]`, start.samplesMs, queryIds.length, 'queries');
  for (const kind of ['open', 'closed'] as const) {
    for (const [i, { samplesMs, queries }] of (load?.[kind] ?? []).entries())
      count(`load.${kind}[${i}]`, samplesMs, queries, 'queries');
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
