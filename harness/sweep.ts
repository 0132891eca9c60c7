/**
 * Many runs: a cell for every request, group by group. All cells of a group are made, then timed taking turns, then
 * recorded; a cell that fails is recorded with its error and the rest goes on.
 */
import type { Dataset } from './contracts.js';
import { BenchError } from './errors.js';
import { measureAnswering } from './pipeline/answering.js';
import type { Cell } from './pipeline/cell.js';
import { prepare } from './pipeline/prepare.js';
import type { RunRequest } from './pipeline/run-request.js';
import { StageLog } from './pipeline/stage-log.js';
import { timeCells } from './pipeline/timing.js';
import { makeCell } from './pipeline.js';
import { byteSize, type Progress } from './progress.js';
import type { DatasetFacts, RunRecord, StageFacts, StoredRecord } from './record.js';
import { CellLines, type CellOutcome } from './sweep/cell-lines.js';
import { groupsOf } from './sweep/groups.js';
import { Keeper } from './sweep/keeper.js';
import {
  assertWritable,
  knownDataset,
  recordCell,
  recordedBefore,
  recordFailure,
} from './sweep/recording.js';
import { assertRunnable } from './sweep/runnable.js';

export interface SweepFailure {
  request: RunRequest;
  error: BenchError | Error;
  /** Absent where it could not be written. */
  record?: RunRecord;
}

export interface SweepOutcome {
  /** Of the cells that were finished, in the order of the requests. */
  records: RunRecord[];
  failures: SweepFailure[];
}

/**
 * @param told of every record once it is written, those of failures too; what was told before an interrupt is all there is
 * @throws BenchError INTERRUPTED; what is wrong with a request, before any run is begun; NOT_WRITABLE or DISK_FULL where no
 *   record can be written at all
 */
export async function sweep(
  requests: readonly RunRequest[],
  progress: Progress,
  told: (stored: StoredRecord, request: RunRequest) => void = () => undefined,
): Promise<SweepOutcome> {
  await assertRunnable(requests, progress);
  for (const out of new Set(requests.map(({ config }) => config.out))) await assertWritable(out);
  const groups = groupsOf(requests);
  const sweeping = new Sweeping(requests, progress, told);
  try {
    for (const [g, group] of groups.entries()) {
      await sweeping.group(group);
      await sweeping.keeper.tidy(groups.slice(g + 1).flat());
    }
  } finally {
    await sweeping.keeper.leave();
  }
  const { removedBytes, peakBytes } = sweeping.keeper;
  if (removedBytes > 0)
    progress.note(
      `disk: ${byteSize(removedBytes)} removed from the cache; the sweep held at most ${byteSize(peakBytes)} at once`,
    );
  const { records, failures } = sweeping;
  return {
    records: requests.flatMap((request) => records.get(request) ?? []),
    failures: failures.sort((a, b) => requests.indexOf(a.request) - requests.indexOf(b.request)),
  };
}

/** A sweep of one. @throws what it failed with */
export async function run(request: RunRequest, progress: Progress): Promise<RunRecord> {
  const { records, failures } = await sweep([request], progress);
  if (failures[0] !== undefined) throw failures[0].error;
  return records[0]!;
}

class Sweeping {
  readonly records = new Map<RunRequest, RunRecord>();
  readonly failures: SweepFailure[] = [];
  readonly keeper: Keeper;
  readonly #lines: CellLines;

  constructor(
    requests: readonly RunRequest[],
    readonly progress: Progress,
    readonly told: (stored: StoredRecord, request: RunRequest) => void,
  ) {
    this.keeper = new Keeper(progress);
    this.#lines = new CellLines(requests, progress);
  }

  async group(requests: readonly RunRequest[]): Promise<void> {
    const cells: Cell[] = [];
    for (const request of requests) {
      this.progress.checkInterrupted();
      const end = this.#lines.begin(request);
      const made = await this.#make(request, end);
      if (made !== undefined) cells.push(made);
    }
    const started = performance.now();
    for (const timed of await timeCells(cells, this.progress)) {
      const { cell, failure } = timed;
      if (failure !== undefined) {
        await this.#fail(cell.request, failure, cell.record);
        continue;
      }
      try {
        const answering = await measureAnswering(cell, this.progress);
        this.#recorded(await recordCell(cell, timed, answering), cell.request);
        this.keeper.recorded(cell);
      } catch (error) {
        this.#throwInterrupt(error);
        await this.#fail(cell.request, error, cell.record);
      }
    }
    this.#lines.timed(cells.length, performance.now() - started);
  }

  /** Undefined where it failed, or was recorded before. */
  async #make(request: RunRequest, end: (outcome: CellOutcome) => void): Promise<Cell | undefined> {
    const { progress } = this;
    const store = this.keeper.storeOf(request);
    const log = new StageLog(store);
    let dataset: Dataset | undefined;
    try {
      const prepared = await log.plain('prepare', () => prepare(request, progress, store));
      dataset = prepared.dataset;
      // The record itself says that a run need not be made again where nothing stays in the cache.
      const before =
        request.config.keep === 'records' && request.anew?.what !== 'everything'
          ? await recordedBefore(request, dataset, progress)
          : undefined;
      if (before !== undefined) {
        end({ state: 'recorded before' });
        this.#recorded(before, request);
        // A killed attempt may have left what it had made for it.
        this.keeper.recorded({ request, stages: [], searchable: [] });
        return undefined;
      }
      const cell = await makeCell(request, prepared, log, progress);
      end({ state: cell.cached ? 'from cache' : 'done', found: log.found });
      return cell;
    } catch (error) {
      this.#throwInterrupt(error);
      end({ state: 'failed', reason: error instanceof Error ? error.message : String(error) });
      const known = dataset && (await knownDataset(dataset));
      await this.#fail(request, error, { dataset: known, stages: log.stages });
      return undefined;
    }
  }

  #recorded(stored: StoredRecord, request: RunRequest): void {
    this.records.set(request, stored.record);
    this.progress.note(`record: ${stored.file}`);
    this.told(stored, request);
  }

  async #fail(
    request: RunRequest,
    error: unknown,
    found: { dataset?: DatasetFacts | undefined; stages: readonly StageFacts[] },
  ): Promise<void> {
    const failure = { request, error: error instanceof Error ? error : new Error(String(error)) };
    try {
      const stored = await recordFailure(request, error, found);
      this.failures.push({ ...failure, record: stored.record });
      this.progress.note(`record of the failure: ${stored.file}`);
      this.told(stored, request);
    } catch (unwritten) {
      // The failure itself may be that nothing can be written.
      this.failures.push(failure);
      this.progress.note(`no record of the failure: ${(unwritten as Error).message}`);
    }
  }

  #throwInterrupt(error: unknown): void {
    if (error instanceof BenchError && error.code === 'INTERRUPTED') throw error;
    this.progress.checkInterrupted();
  }
}
