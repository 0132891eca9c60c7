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

/** The model that a system is named by: what stands behind `pretrained:` or `cross:`. */
export const idOf = ({ architecture }: { architecture: string }): string =>
  architecture.slice(architecture.indexOf(':') + 1);

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

const weightFiles = /^(config\.json|model.*\.safetensors(\.index\.json)?)$/;
const isModelFile = (name: string): boolean =>
  weightFiles.test(name) || tokenizerFiles.some((each) => each === name);

/** What of a model's folder decides its vectors, with hashes. */
export async function filesOf(folder: string): Promise<DataFile[]> {
  const names = (await readdir(folder)).filter(isModelFile).sort();
  return Promise.all(names.map((name) => describeFile(path.join(folder, name))));
}
