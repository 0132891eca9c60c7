/** What the stages of a system take, and what they are tried on. */
import type { Progress } from '../../progress.js';
import type { Stage } from '../../stages/graph.js';
import type { Store } from '../../store/store.js';
import type { RunRequest } from '../run-request.js';
import type { PartOfDataset } from './part-of-dataset.js';

/** A row of an estimate. */
export interface TimeRow {
  stage: string;
  /** Null where it cannot be known beforehand. */
  seconds: number | null;
  /** What the figure rests on, or why there is none. */
  basis: string;
  /** Runs that share it do it once; absent where every run does it anew. */
  sharedBy?: string;
}

/** What one stage takes, as its system tells it. */
export interface StageTime extends Omit<TimeRow, 'sharedBy'> {
  /** The artifacts that are made meanwhile, found in the graph of a run, in order; absent where none is. */
  makes?(graph: readonly Stage[]): readonly Stage[];
  /** The request whose graph that is; the run's own where absent. */
  within?(request: RunRequest): RunRequest;
}

export interface Trial {
  request: RunRequest;
  part: PartOfDataset;
  /** In a folder that goes again. */
  store: Store;
  folder: string;
  /** Says nothing, and can be interrupted. */
  progress: Progress;
}
