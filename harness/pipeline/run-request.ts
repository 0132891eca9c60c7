/** What is asked for of one cell. */
import type { StageRequest } from './prepare.js';

/** One system on one dataset with one seed. */
export interface RunRequest extends StageRequest {
  /** The system's name: `mlr-sc`, `bm25`. */
  architecture: string;
  seed: number;
  /** Folder of a trained checkpoint to start training from, instead of the configuration's model. */
  init?: string;
  /**
   * Whether its hits are for others to work with, such as a system that is put together of it: nobody asks for its `study`, and each of
   * them has to be of a passage of the collection.
   */
  component?: true;
  /** Where hard negatives come from: `dataset`, `bm25`, and files; the usual source where absent. */
  negatives?: readonly string[];
  /** Where the relative paths begin that names of it hold; absent where none does, and where that is this process's own folder. */
  relativeTo?: RelativePaths;
}

export interface RelativePaths {
  readonly folder: string;
  /** As the names hold them: `vectors` of `vectors:vectors`. */
  readonly paths: readonly string[];
}
