/** The files that a sweep leaves: a record for each cell, one that says why for each that failed. */
import { copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { presetText } from '../config/config.js';
import type { Dataset } from '../contracts.js';
import { BenchError, foreignFault } from '../errors.js';
import type { MeasuredAnswering } from '../pipeline/answering.js';
import type { Cell } from '../pipeline/cell.js';
import { datasetFacts, decidingSettings, fileName, stemOf } from '../pipeline/record-stage.js';
import type { RunRequest } from '../pipeline/run-request.js';
import type { TimedCell } from '../pipeline/timing.js';
import { shownCommand } from '../program/shown-command.js';
import type { Progress } from '../progress.js';
import {
  bareArchitecture,
  type DatasetFacts,
  describeMachine,
  newRecord,
  type RunRecord,
  readRecord,
  recordSuffix,
  type StageFacts,
  type StoredRecord,
  type Surroundings,
  writeIrMetadata,
  writeRecord,
} from '../record.js';
import { AtomicFile, putInPlace, temporaryName } from '../store/atomic.js';
import { keyOf } from '../store/hash.js';
import { makeFolder } from '../store/make-folder.js';
import { removePartials } from '../store/partials.js';
import { loadSystem } from '../systems.js';
import { collectionOf } from './cell-lines.js';

const split = 'test';

/** A folder that cannot be written to is better known before an hour of training than after. */
export async function assertWritable(folder: string): Promise<void> {
  await makeFolder(path.resolve(folder));
  // A killed process may have left files half-written.
  await removePartials(path.resolve(folder));
  await (await AtomicFile.create(path.join(path.resolve(folder), 'writable'))).abort();
}

export async function recordCell(
  { file, record, request }: Cell,
  { latency, seconds }: TimedCell,
  answering: MeasuredAnswering,
): Promise<StoredRecord> {
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024;
  const timed = { name: 'latency', key: null, execution: { cached: false, seconds, peakMemoryBytes } };
  const stages = [...record.stages, ...(latency ? [timed] : [])];
  if (answering.seconds !== undefined)
    stages.push({ name: 'answering', key: null, execution: { cached: false, seconds: answering.seconds } });
  const { facts } = answering;
  const whole: RunRecord = { ...record, stages, ...(latency && { latency }), answering: facts };
  await writeRecord(file, whole);
  await forgetFailure(request);
  return { file, record: whole };
}

/**
 * Puts what another machine timed where this one's own would be.
 * @param there the record there; the hits of a run that did not fail lie beside it
 * @param pinned the name of that machine
 */
export async function recordElsewhere(
  { file, record }: StoredRecord,
  request: RunRequest,
  pinned: string,
): Promise<StoredRecord> {
  const { cache, out } = request.config;
  const { device, config, run, status } = record;
  const own: RunRecord = {
    ...record,
    command: shownCommand(),
    config: { ...config, cache, out },
    device: { ...device, machine: { ...device.machine, pinned } },
  };
  if (run !== undefined) {
    const target = path.join(out, run.name);
    const temporary = temporaryName(target);
    await copyFile(path.join(path.dirname(file), run.name), temporary);
    await putInPlace(temporary, target);
    await writeIrMetadata(target, own);
  }
  const stored = {
    file: status === 'ok' ? path.join(out, path.basename(file)) : failedFile(request),
    record: own,
  };
  await writeRecord(stored.file, own);
  if (status === 'ok') await forgetFailure(request);
  return stored;
}

/** Removes the record of an earlier attempt that failed. */
export const forgetFailure = (request: RunRequest): Promise<void> => rm(failedFile(request), { force: true });

/**
 * The record of an earlier, finished run of the same request by the same program; undefined where there is none, which is
 * said where only the program is in doubt. Runs that began with a checkpoint or with negatives named for them cannot be
 * told apart before they are made, and have none.
 * @param pinned the name of the machine that is to time it; this one where absent
 */
export async function recordedBefore(
  request: RunRequest,
  dataset: Dataset,
  progress: Progress,
  pinned?: string,
): Promise<StoredRecord | undefined> {
  if (request.init !== undefined || request.negatives !== undefined) return undefined;
  const { given } = await (await loadSystem(request.architecture)).steps();
  const stem = stemOf(request, dataset, await given?.(request));
  const file = `${path.join(request.config.out, stem)}${recordSuffix}`;
  const record = await readRecord(file).catch(() => undefined);
  if (record?.status !== 'ok') return undefined;
  const doubt = programDoubt(record, await describeMachine()) ?? machineDoubt(record, pinned);
  if (doubt === undefined) return { file, record };
  progress.note(`made again: ${doubt} (${file})`);
  return undefined;
}

/** What was timed on a machine of a name is taken for nothing else, and nothing else for it. */
export function machineDoubt(
  { latency, device: { machine } }: Pick<RunRecord, 'latency' | 'device'>,
  pinned?: string,
): string | undefined {
  if (latency === undefined || machine.pinned === pinned) return undefined;
  return `its latencies are those of ${machine.pinned ?? 'the machine that recorded it'}`;
}

/** Why a record cannot be taken for one of this program as it is now; undefined where it can. */
export function programDoubt(
  { benchVersion, device: { git } }: Pick<RunRecord, 'benchVersion' | 'device'>,
  now: Pick<Surroundings, 'benchVersion' | 'git'>,
): string | undefined {
  if (benchVersion !== now.benchVersion) return `the record is of version ${benchVersion}`;
  if (git === null && now.git === null) return undefined;
  if (git === null || now.git === null) return 'one of the record and this program names no commit';
  if (git.dirty) return 'the record was made by a program with changes that are in no commit';
  if (now.git.dirty) return 'this program has changes that are in no commit';
  return git.commit === now.git.commit ? undefined : `the record is of commit ${git.commit.slice(0, 12)}`;
}

/** @param found what was known of the dataset and the stages when it failed */
export async function recordFailure(
  request: RunRequest,
  error: unknown,
  found: { dataset?: DatasetFacts | undefined; stages: readonly StageFacts[] },
): Promise<StoredRecord> {
  const { config, seed, architecture } = request;
  const record = await newRecord({
    error: describe(error),
    seed,
    preset: presetText(config),
    config,
    arch: bareArchitecture(architecture),
    dataset: found.dataset ?? unknownDataset(collectionOf(request)),
    device: { engine: null, device: null, searcher: null, threads: config.threads, versions: {} },
    stages: found.stages,
    queryIds: [],
    measures: {},
    warnings: [],
  });
  const file = failedFile(request);
  await writeRecord(file, record);
  return { file, record };
}

/** What is known where the dataset could not be opened. */
function unknownDataset(name: string): DatasetFacts {
  return { name, version: 'unknown', licence: null, files: [], passageCount: null, split, counts: {} };
}

/** The dataset as a record tells of it; undefined where it cannot be read. */
export function knownDataset(dataset: Dataset): Promise<DatasetFacts | undefined> {
  return datasetFacts(dataset, split).catch(() => undefined);
}

function describe(thrown: unknown): NonNullable<RunRecord['error']> {
  const error = foreignFault(thrown);
  if (error instanceof BenchError) {
    const { code, message, hint } = error;
    return { code, message, ...(hint !== undefined && { hint }) };
  }
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error) };
}

/** The same for every attempt at a request, however far it comes. */
function failedFile(request: RunRequest): string {
  const { architecture, dataset, data, distractors, seed, init, negatives, config } = request;
  const deciding = decidingSettings(config);
  const key = keyOf({ deciding, data, distractors, init, negatives }).slice(0, 8);
  const stem = `${fileName(dataset)}-${fileName(architecture)}-${seed}-${key}.failed`;
  return path.join(config.out, `${stem}${recordSuffix}`);
}
