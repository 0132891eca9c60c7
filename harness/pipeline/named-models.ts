/** Models by name: a folder, or an id on the hub, whose files lie in the cache once they are fetched. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BenchConfig } from '../config/config.js';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { type ResolvedModel, resolveModel } from '../model/hub.js';
import type { Progress } from '../progress.js';
import { describeFile } from '../store/hash-once.js';
import { hubFolder } from '../store/hub-files.js';
import { tokenizerFiles } from '../text/tokenizer-folder.js';
import type { Session } from './prepare.js';
import type { RunRequest } from './run-request.js';

type Named = Pick<RunRequest, 'architecture'>;

/** The model that a system is named by: what stands behind `pretrained:`, `sparse:` or `cross:`. */
export const idOf = ({ architecture }: Named): string => architecture.slice(architecture.indexOf(':') + 1);

/**
 * The folder of a model that is here; undefined where it may be downloaded.
 * @param needsModules whether the files of sentence-transformers are asked for too
 */
export async function localModel(
  name: string,
  { config, offline }: { config: Pick<BenchConfig, 'cache'>; offline: boolean },
  needsModules = false,
): Promise<string | undefined> {
  try {
    const options = { cacheFolder: hubFolder(config.cache), offline: true, needsModules };
    return (await resolveModel(name, options)).folder;
  } catch (error) {
    if (!offline && error instanceof BenchError && error.code === 'DOWNLOAD_FAILED') return undefined;
    throw error;
  }
}

/** The model, fetched where it is not here. @param needsModules see `localModel` */
export function fetchModel(
  name: string,
  { config, offline }: Pick<Session, 'config' | 'offline'>,
  progress: Progress,
  needsModules = false,
): Promise<ResolvedModel> {
  return resolveModel(name, {
    ...{ cacheFolder: hubFolder(config.cache), offline, needsModules },
    onProgress(file, done, total) {
      progress.note(`${file}: ${done} of ${total} bytes`);
      progress.checkInterrupted();
    },
  });
}

/** @returns as `fetchModel`, with the name of the system in records */
export async function foundModel(
  request: Named,
  where: Pick<Session, 'config' | 'offline'>,
  progress: Progress,
) {
  const { name: id, folder, revision = null } = await fetchModel(idOf(request), where, progress, true);
  const kind = request.architecture.split(':')[0];
  return { id, folder, revision, name: `${kind}:${revision === null ? path.basename(folder) : id}` };
}

/** Opens nothing: of a model that is known by its name alone. */
export const notLookedAt = (name: string) => (): Promise<never> =>
  Promise.reject(new TypeError(`${name} is not looked at yet`));

/** Opens a model that was looked at. @param key of its content then @throws BenchError CHECKPOINT_INVALID where it is another now */
export const unchanged =
  <T extends { key: string }>(folder: string, key: string, open: () => Promise<T>) =>
  async (): Promise<T> => {
    const model = await open();
    if (model.key === key) return model;
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `The files in ${folder} have changed since it was looked at.`,
      { hint: 'Run again: what was made with the others stays in the cache.' },
    );
  };

/** The content of a model, for what was given of a record; empty where it is not known. */
type GivenModel = { readonly model?: string };

/** What a record says was given: the content of the model. */
export const givenModel = (key: string): GivenModel => ({ model: key });

/** As `SystemSteps.given`: not known of a model that is still to be fetched. @param contentOf looks at a folder */
export async function givenByName(
  request: RunRequest,
  contentOf: (folder: string) => Promise<{ key: string }>,
): Promise<GivenModel> {
  const folder = await localModel(idOf(request), request, true);
  return folder === undefined ? {} : givenModel((await contentOf(folder)).key);
}

const weightFiles = /^(config\.json|model.*\.safetensors(\.index\.json)?)$/;
const isModelFile = (name: string): boolean =>
  weightFiles.test(name) || tokenizerFiles.some((each) => each === name);

/** What of a model's folder decides its vectors, with hashes. */
export async function filesOf(folder: string): Promise<DataFile[]> {
  const names = (await readdir(folder)).filter(isModelFile).sort();
  return Promise.all(names.map((name) => describeFile(path.join(folder, name))));
}
