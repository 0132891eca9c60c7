/** Models by name: fetched once from the Hugging Face hub, or a mirror of it, into the cache. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { parseJson } from '../json.js';
import { writeAtomic, writeJson } from '../store/atomic.js';
import { fetchFile } from '../store/download.js';
import { tokenizerFiles } from '../text/tokenizer-folder.js';
import { readShardNames, weightsFile, weightsIndexFile } from './tensor-source.js';

export interface HubOptions {
  /** Where downloaded models lie. */
  cacheFolder: string;
  /** The network may not be used: only what is in the cache is given. */
  offline?: boolean | undefined;
  /** The hub's address; HF_ENDPOINT of the environment where absent, else the public hub. */
  hubUrl?: string | undefined;
  /** Whether the files of sentence-transformers are asked for too; earlier versions left them on the hub. */
  needsModules?: boolean;
  /** Called while the large files come. */
  onProgress?: ((file: string, doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Where a model's files lie. */
export interface ResolvedModel {
  /** As the hub calls it, or the folder as it was given. */
  name: string;
  folder: string;
  /** The commit that was downloaded; absent for a folder of the user's. */
  revision?: string;
}

interface RepositoryFile {
  path: string;
  size: number;
  /** The sha1 of git's blob. */
  oid?: string;
  /** A file kept outside of git, with its sha256. */
  lfs?: { oid: string };
}

interface Repository {
  name: string;
  revision: string;
  hubUrl: string;
  token: string | undefined;
  files: ReadonlyMap<string, RepositoryFile>;
}

const textFiles = ['config.json', ...tokenizerFiles];
/** What sentence-transformers keeps beside an encoder. */
const moduleFiles =
  /^((modules|config_sentence_transformers|sentence_\w+_config)\.json|\d+_\w+\/(config\.json|model\.safetensors))$/;

/**
 * The folder of a model: the user's own where one of that name exists, else the model of that name from the cache or
 * the hub. What was cut or killed goes on where it stopped; a model counts as downloaded once all of its files are
 * there and verified. HF_TOKEN of the environment opens models that ask for it.
 * @param nameOrFolder `./my-model`, `google-t5/t5-base`, or an old name without an organisation, `bert-base-uncased`
 * @throws BenchError PATH_INVALID, UNKNOWN_NAME, DOWNLOAD_FAILED; CHECKPOINT_INVALID where the model has no safetensors
 */
export async function resolveModel(nameOrFolder: string, options: HubOptions): Promise<ResolvedModel> {
  const found = await stat(nameOrFolder).catch(() => undefined);
  if (found?.isDirectory()) return { name: nameOrFolder, folder: path.resolve(nameOrFolder) };
  if (found !== undefined || !/^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(nameOrFolder)) {
    const what = found === undefined ? 'is not there' : 'is a file, not a folder';
    throw new BenchError('PATH_INVALID', `The model folder ${nameOrFolder} ${what}.`, {
      hint: 'Give a folder with config.json, model.safetensors and tokenizer.json, or a hub name such as google-t5/t5-base.',
    });
  }
  const home = path.join(path.resolve(options.cacheFolder), nameOrFolder.replace('/', '--'));
  const cached = await readCached(home);
  if (cached !== undefined && (cached.hasModules || !options.needsModules)) return cached.model;
  if (options.offline) {
    throw new BenchError(
      'DOWNLOAD_FAILED',
      `The model ${nameOrFolder} is not in the cache (${home}), and the network may not be used.`,
      { hint: 'Run once with the network, or give the folder of a copy with --model DIR.' },
    );
  }
  const repository = await lookUp(nameOrFolder, options);
  const folder = path.join(home, repository.revision);
  await bringAll(repository, folder, options);
  const resolved = { name: repository.name, revision: repository.revision, folder };
  const { name, revision } = resolved;
  await writeJson(path.join(home, 'revision.json'), { name, revision, modules: true });
  return resolved;
}

/** What an earlier run downloaded in full. */
async function readCached(home: string): Promise<{ model: ResolvedModel; hasModules: boolean } | undefined> {
  const text = await readFile(path.join(home, 'revision.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { name, revision, modules } = parseJson(text) as Readonly<Record<string, unknown>>;
    if (typeof name !== 'string' || !isCommit(revision)) return undefined;
    const folder = path.join(home, revision);
    if (!(await stat(folder)).isDirectory()) return undefined;
    return { model: { name, revision, folder }, hasModules: modules === true };
  } catch {
    // Damaged or deleted: it is downloaded again, and what is there of it is verified.
    return undefined;
  }
}

/** A name that a folder may have, and nothing that leads out of it. */
const isCommit = (revision: unknown): revision is string =>
  typeof revision === 'string' && /^[0-9a-f]{8,64}$/.test(revision);

/** Asks the hub for a model's commit and its files. */
async function lookUp(asked: string, options: HubOptions): Promise<Repository> {
  const hubUrl = (options.hubUrl ?? process.env.HF_ENDPOINT ?? 'https://huggingface.co').replace(/\/+$/, '');
  const token = process.env.HF_TOKEN || undefined;
  const access = { hubUrl, ...(token === undefined ? {} : { accessToken: token }) };
  return hubErrors(asked, hubUrl, async () => {
    const { listFiles, modelInfo } = await import('@huggingface/hub');
    const { name, sha: revision } = await modelInfo({ name: asked, additionalFields: ['sha'], ...access });
    if (!isCommit(revision)) throw new TypeError(`it names the commit ${revision}`);
    const files = new Map<string, RepositoryFile>();
    for await (const file of listFiles({
      ...{ repo: { type: 'model', name }, revision, recursive: true, ...access },
    })) {
      if (file.type === 'file') files.set(file.path, file);
    }
    return { name, revision, hubUrl, token, files };
  });
}

async function bringAll(repository: Repository, folder: string, options: HubOptions): Promise<void> {
  const { name, files } = repository;
  const names = [...files.keys()].sort();
  const weights = [weightsFile, weightsIndexFile].find((file) => files.has(file));
  if (weights === undefined || !files.has('config.json')) {
    const missing = weights === undefined ? weightsFile : 'config.json';
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `The model ${name} has no ${missing}. It has: ${names.join(', ')}.`,
      {
        hint: 'Download it by other means, save it with transformers (save_pretrained writes safetensors), and give that folder with --model DIR.',
      },
    );
  }
  for (const file of textFiles) if (files.has(file)) await bring(repository, file, folder, options);
  for (const file of names) if (moduleFiles.test(file)) await bring(repository, file, folder, options);
  await bring(repository, weights, folder, options);
  if (weights === weightsIndexFile) {
    for (const shard of await readShardNames(path.join(folder, weightsIndexFile))) {
      await bring(repository, shard, folder, options);
    }
  }
}

/** One file: those outside of git through the resumable download, small ones at once; either is verified. */
async function bring(
  repository: Repository,
  name: string,
  folder: string,
  options: HubOptions,
): Promise<void> {
  const { hubUrl, token, revision } = repository;
  const file = repository.files.get(name);
  if (file === undefined) {
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `The model ${repository.name} has no ${name}, which its ${weightsIndexFile} names.`,
    );
  }
  const url = `${hubUrl}/${repository.name}/resolve/${revision}/${name}`;
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (file.lfs !== undefined) {
    const licence = `see ${hubUrl}/${repository.name}`;
    await fetchFile({ name, url, sizeBytes: file.size, sha256: file.lfs.oid, licence }, folder, {
      headers,
      onProgress: (done, total) => options.onProgress?.(name, done, total),
    });
    return;
  }
  const target = path.join(folder, name);
  const isRight = (bytes: Uint8Array) =>
    bytes.byteLength === file.size && (file.oid ?? '') === gitBlobHash(bytes);
  const present = await readFile(target).catch(() => undefined);
  if (present !== undefined && isRight(present)) return;
  const bytes = await hubErrors(repository.name, hubUrl, async () => {
    const { downloadFile } = await import('@huggingface/hub');
    const access = token === undefined ? {} : { accessToken: token };
    const repo = { type: 'model', name: repository.name } as const;
    const blob = await downloadFile({ repo, path: name, revision, hubUrl, ...access });
    if (blob === null) throw new TypeError(`${name} is listed but is not there`);
    return new Uint8Array(await blob.arrayBuffer());
  });
  if (!isRight(bytes)) {
    const seen = `${bytes.byteLength} bytes, git hash ${gitBlobHash(bytes)}`;
    throw new BenchError(
      'DOWNLOAD_FAILED',
      `${url} gave ${seen}; expected ${file.size} bytes, ${file.oid}.`,
      {
        hint: 'Start the same command again; a proxy or a mirror may have answered in its place.',
      },
    );
  }
  await writeAtomic(target, bytes);
}

/** What git calls a file's content. */
function gitBlobHash(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex');
}

/** Says in our words why the hub gave no answer. */
async function hubErrors<T>(name: string, hubUrl: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const { statusCode, message } = cause as { statusCode?: number; message: string };
    // Without a token the hub answers 401 for a model that does not exist.
    if (statusCode === 404 || (statusCode === 401 && !process.env.HF_TOKEN)) {
      throw new BenchError(
        'UNKNOWN_NAME',
        `There is no folder '${name}', and no public model of that name at ${hubUrl}.`,
        {
          hint: 'Hub names look like google-bert/bert-base-uncased. Where a model is private or asks for consent, set HF_TOKEN.',
          cause,
        },
      );
    }
    if (statusCode === 401 || statusCode === 403) {
      throw new BenchError(
        'DOWNLOAD_FAILED',
        `${hubUrl} refuses access to the model ${name} (status ${statusCode}).`,
        {
          hint: 'Agree to its terms on its page, and set HF_TOKEN to a token that may read it.',
          cause,
        },
      );
    }
    const reason = ((cause as Error).cause as Error | undefined)?.message || message;
    throw new BenchError('DOWNLOAD_FAILED', `The model ${name} could not be had from ${hubUrl}: ${reason}.`, {
      hint: 'Where there is no network, give the folder of a copy with --model DIR; HF_ENDPOINT names another address of the hub.',
      cause,
    });
  }
}
