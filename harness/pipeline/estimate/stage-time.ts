/** What the stages of a system take, and what they are tried on. */
import type { Progress } from '../../progress.js';
import type { Store } from '../../store/store.js';
import type { RunRequest } from '../run-request.js';
import type { PartOfDataset } from './part-of-dataset.js';

/** What one stage takes. */
export interface StageTime {
  stage: string;
  /** Null where it cannot be known beforehand. */
  seconds: number | null;
  /** What the figure rests on, or why there is none. */
  basis: string;
  /** Runs that share it do it once. */
  sharedBy?: string;
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
