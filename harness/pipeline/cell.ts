/** What one architecture on one dataset with one seed comes to: a run that can be timed beside others and then recorded. */
import type { Query } from '../contracts.js';
import type { Part } from '../latency/latency.js';
import type { Progress } from '../progress.js';
import type { RunRecord } from '../record.js';
import type { PassageHits } from '../search/search.js';
import type { Need } from '../stages/graph.js';
import type { RunRequest } from './run-request.js';
import type { WholeIndexTime } from './whole-index.js';

/** Searched and measured; only its latencies are missing. Nothing of it is open. */
export interface Cell {
  readonly request: RunRequest;
  /** Where its record goes. */
  readonly file: string;
  /** The record without latencies. */
  readonly record: RunRecord;
  /** The queries that were searched. */
  readonly queries: readonly Query[];
  readonly wholeIndex: WholeIndexTime;
  /** See `AnsweredSystem.untimed`. */
  readonly untimed?: string;
  /** Memory that it takes while it is open: the index as far as it is held, and the model. */
  readonly openBytes: number;
  /** Whether every search reads the whole index from the disk. */
  readonly rereads: boolean;
  /** All stages of its graph, see `SystemStages`. */
  readonly stages: readonly Need[];
  /** Those that searching again needs. */
  readonly searchable: readonly Need[];
  /** Whether every artifact was found made. */
  readonly cached: boolean;
  /** By which this process or another opens it. */
  readonly opening: Opening;
}

/** How a system is opened from what lies on the disk, in plain data; the steps of its kind know what the data are. */
export interface Opening {
  /** As `--arch` says it. */
  readonly system: string;
  /** What it reads. */
  readonly folders: readonly string[];
  /** JSON: what `open`, or `openScoring`, of its steps takes. */
  readonly from: object;
}

/** What is no part of the system that is opened. */
export interface WayToOpen {
  /** Threads that it computes with; as many as its settings say where absent. */
  readonly threads?: number;
  readonly progress: Pick<Progress, 'note' | 'signal'>;
}

export interface NamedCell {
  readonly cell: Cell;
  /** As a report names it. */
  readonly name: string;
}

/** What answers queries, whatever it is made of. */
export interface OpenSystem {
  /** `tokenize`, `encode` and `search`, as far as it has them: from a Query to its PassageHits, one at a time. */
  readonly parts: readonly Part[];
  /** Answers all queries together. */
  answerBatch(queries: readonly Query[]): Promise<PassageHits>;
  /** Whether the index lies in memory; else the disk's share is in the figures. */
  readonly resident: boolean;
  close(): Promise<void>;
}
