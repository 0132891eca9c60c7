/** Puts a record together (what every record says of this program and this machine, and what a run found out), and writes it. */
import { shownCommand } from '../program/shown-command.js';
import { writeJson } from '../store/atomic.js';
import { describeMachine } from './machine.js';
import {
  type ArchitectureFacts,
  type DeviceFacts,
  type RunRecord,
  recordSchemaVersion,
} from './run-record.js';
import { assertRecord } from './validate.js';

/** What a run has to say for itself; all else is the same for every record made here and now. */
export type Findings = Omit<
  RunRecord,
  'schemaVersion' | 'benchVersion' | 'createdAt' | 'command' | 'status' | 'device'
> & { readonly device: Omit<DeviceFacts, 'git' | 'machine'> };

/** The record of these findings, made now by this process. With an error among them it is that of a failed run. */
export async function newRecord(findings: Findings): Promise<RunRecord> {
  const { error, seed, preset, config, arch, dataset, model, device, ...others } = findings;
  const { benchVersion, git, machine } = await describeMachine();
  return {
    schemaVersion: recordSchemaVersion,
    benchVersion,
    createdAt: new Date().toISOString(),
    command: shownCommand(),
    status: error === undefined ? 'ok' : 'failed',
    ...(error && { error }),
    seed,
    preset,
    config,
    arch,
    dataset,
    ...(model && { model }),
    device: { ...device, git, machine },
    ...others,
  };
}

/** An architecture of which no more is known, or which has no more to it: no layers, no vectors. */
export function bareArchitecture(name: string, family: string | null = null): ArchitectureFacts {
  return { name, family, pooling: null, layers: null, vectors: null, lambda: null };
}

/** Of a run that another program made: what is not known of it is null. */
export const runElsewhere = {
  seed: null,
  preset: null,
  device: { engine: null, device: null, searcher: null, threads: null, versions: {} },
  stages: [],
} as const satisfies Partial<Findings>;

/**
 * Writes a record, whole or not at all. It is validated first, so that no file is left that could not be read.
 * @throws BenchError RECORD_INVALID with every fault and its JSON path; NaN is a fault, DISK_FULL, NOT_WRITABLE
 */
export async function writeRecord(file: string, record: RunRecord): Promise<void> {
  await writeJson(file, assertRecord(record, file));
}
