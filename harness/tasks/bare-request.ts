/** Requests as they are sent to other processes, on this machine or another. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { BenchError } from '../errors.js';
import type { DistractorsChoice } from '../pipeline/distractors.js';
import type { RelativePaths, RunRequest } from '../pipeline/run-request.js';
import { loadSystem } from '../systems.js';

/**
 * With whole paths, and nothing of this process. Names stay as they are, for records and keys hold them: where their relative
 * paths begin is said beside them.
 */
export async function bareRequest(whole: RunRequest): Promise<RunRequest> {
  const { anew: _, data, init, negatives, distractors, relativeTo, ...request } = whole;
  const { out, cache } = request.config;
  const relative = relativeTo ?? (await relativePaths(whole));
  return {
    ...request,
    config: { ...request.config, out: path.resolve(out), cache: path.resolve(cache) },
    ...(data !== undefined && { data: path.resolve(data) }),
    ...(distractors !== undefined && { distractors: withWholePath(distractors) }),
    ...(init !== undefined && { init: path.resolve(init) }),
    ...(negatives !== undefined && {
      negatives: negatives.map((name) => (existsSync(name) ? path.resolve(name) : name)),
    }),
    ...(relative !== undefined && { relativeTo: relative }),
  };
}

function withWholePath({ from, ...distractors }: DistractorsChoice): DistractorsChoice {
  if (from === undefined) return distractors;
  return { ...distractors, from: { ...from, ...(from.data && { data: path.resolve(from.data) }) } };
}

/** What lies here under a name that may be a path: a model's name may be one of the hub. */
async function relativePaths({ architecture, init, config }: RunRequest): Promise<RelativePaths | undefined> {
  const { isTrained, components = [architecture] } = await loadSystem(architecture);
  const behindColons = components
    .filter((name) => name.includes(':'))
    .map((name) => name.replace(/^.*?:/s, ''));
  const { name: model } = config.model;
  const { scores } = config.train.teacher;
  const ofTraining = isTrained
    ? [...(init === undefined && model !== 'scratch' ? [model] : []), ...(scores === null ? [] : [scores])]
    : [];
  const paths = [...behindColons, ...ofTraining].filter((name) => !path.isAbsolute(name) && existsSync(name));
  return paths.length === 0 ? undefined : { folder: process.cwd(), paths: [...new Set(paths)] };
}

/**
 * Has the relative paths of a request begin where they began for whoever asked. This process does nothing else meanwhile.
 * @throws BenchError PATH_INVALID where this machine does not see them: a model of that name may be on the hub, and another
 */
export function standAsAsked({ relativeTo }: Pick<RunRequest, 'relativeTo'>): void {
  if (relativeTo === undefined) return;
  const { folder, paths } = relativeTo;
  const absent = [folder, ...paths.map((name) => path.resolve(folder, name))].find(
    (each) => !existsSync(each),
  );
  if (absent !== undefined) {
    throw new BenchError(
      'PATH_INVALID',
      `${absent} is not on ${hostname()}, and the run reads ${paths.join(', ')} in ${folder}.`,
      {
        hint: 'Machines that share a sweep see the files that it names under one path, as they see --cache: put them on the shared disk.',
      },
    );
  }
  process.chdir(folder);
}
