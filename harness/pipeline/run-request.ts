/** What is asked for of one cell. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { DistractorsChoice } from './distractors.js';
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
}

/** A request as it can be sent to another machine: with whole paths, and nothing of this process. */
export function bareRequest({
  anew: _,
  data,
  init,
  negatives,
  distractors,
  ...request
}: RunRequest): RunRequest {
  const { out, cache } = request.config;
  return {
    ...request,
    config: { ...request.config, out: path.resolve(out), cache: path.resolve(cache) },
    ...(data !== undefined && { data: path.resolve(data) }),
    ...(distractors !== undefined && { distractors: withWholePath(distractors) }),
    ...(init !== undefined && { init: path.resolve(init) }),
    ...(negatives !== undefined && {
      negatives: negatives.map((name) => (existsSync(name) ? path.resolve(name) : name)),
    }),
  };
}

function withWholePath({ from, ...distractors }: DistractorsChoice): DistractorsChoice {
  if (from === undefined) return distractors;
  return { ...distractors, from: { ...from, ...(from.data && { data: path.resolve(from.data) }) } };
}
