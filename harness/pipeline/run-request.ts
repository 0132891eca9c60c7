/** What is asked for of one cell. */
import type { StageRequest } from './prepare.js';

/** One system on one dataset with one seed. */
export interface RunRequest extends StageRequest {
  /** The system's name: `mlr-sc`, `bm25`. */
  architecture: string;
  seed: number;
  /** Folder of a trained checkpoint to start training from, instead of the configuration's model. */
  init?: string;
  /** Where hard negatives come from: `dataset`, `bm25`, and files; the usual source where absent. */
  negatives?: readonly string[];
}
