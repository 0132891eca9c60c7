/** Models by name: a folder, or what the Hugging Face hub calls so, from this machine or fetched. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { HubRepository } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { HubOptions } from '../store/hub-files.js';
import { parseHubName } from '../store/hub-names.js';
import { openRepository } from '../store/hub-repository.js';
import { tokenizerFiles, vocabularyFiles } from '../text/tokenizer-folder.js';
import { readShardNames, weightsFile, weightsIndexFile } from './tensor-source.js';

export interface ModelOptions extends HubOptions {
  /** Whether the files of sentence-transformers are asked for too. */
  needsModules?: boolean;
}

/** Where a model's files lie. */
export interface ResolvedModel {
  /** As the hub calls it, with the revision where the user pinned one; or the folder as it was given. */
  name: string;
  folder: string;
  /** The commit; absent for a folder of the user's. */
  revision?: string;
}

const textFiles: readonly string[] = ['config.json', ...tokenizerFiles];
const modulesFile = 'modules.json';
/** What may stand beside it and decides lengths, prompts and similarity. */
const besideModules = ['sentence_bert_config.json', 'config_sentence_transformers.json'];
/** What sentence-transformers keeps beside an encoder. */
const moduleFiles =
  /^((modules|router_config|config_sentence_transformers|sentence_\w+_config)\.json|\d+_\w+\/(config\.json|model\.safetensors)|(query|document)_\d+_\w+\/[\w.-]+\.(json|safetensors|txt))$/;

/**
 * The folder of a model: the user's own where one of that name exists, else the model of that name from our cache, that of
 * Hugging Face's tools, or the hub. What was cut or killed goes on where it stopped; a model counts as downloaded once
 * all of its files are there and verified. HF_TOKEN of the environment opens models that ask for it.
 * @param nameOrFolder `./my-model`, `google-t5/t5-base`, `google-t5/t5-base@REVISION` (a branch, tag or commit), or an old
 *   name without an organisation, `bert-base-uncased`
 * @throws BenchError PATH_INVALID, UNKNOWN_NAME, DOWNLOAD_FAILED; CHECKPOINT_INVALID where the model has no safetensors
 */
export async function resolveModel(nameOrFolder: string, options: ModelOptions): Promise<ResolvedModel> {
  const found = await stat(nameOrFolder).catch(() => undefined);
  if (found?.isDirectory()) return { name: nameOrFolder, folder: path.resolve(nameOrFolder) };
  const name = found === undefined ? parseHubName(nameOrFolder) : undefined;
  if (name === undefined) {
    const what = found === undefined ? 'is not there' : 'is a file, not a folder';
    throw new BenchError('PATH_INVALID', `The model folder ${nameOrFolder} ${what}.`, {
      hint: 'Give a folder with config.json, model.safetensors and tokenizer.json, or a hub name such as google-t5/t5-base.',
    });
  }
  const repository = await openRepository('model', name, options, (each) => isEnough(each, options));
  const { folder, revision } = repository;
  await bringAll(repository);
  await repository.keep();
  return { name: repository.name, revision, folder };
}

/** Whether a model can be used from what is on this machine alone. */
async function isEnough(
  { files, folder, isWhole, lacks }: HubRepository,
  { needsModules }: ModelOptions,
): Promise<boolean> {
  if (isWhole) return true;
  // What may be on the hub alone must not be taken for absent: without it the model would compute something else.
  const isKnown = (file: string) => files.includes(file) || lacks(file);
  if (needsModules && !isKnown(modulesFile)) return false;
  if (needsModules && files.includes(modulesFile) && !besideModules.every(isKnown)) return false;
  if (!files.includes('config.json') || !vocabularyFiles.some((file) => files.includes(file))) return false;
  if (files.includes(weightsFile)) return true;
  if (!files.includes(weightsIndexFile)) return false;
  const shards = await readShardNames(path.join(folder, weightsIndexFile));
  return shards.every((shard) => files.includes(shard));
}

async function bringAll({ name, files, fetch }: HubRepository): Promise<void> {
  const weights = [weightsFile, weightsIndexFile].find((file) => files.includes(file));
  if (weights === undefined || !files.includes('config.json')) {
    const missing = weights === undefined ? weightsFile : 'config.json';
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `The model ${name} has no ${missing}. It has: ${files.join(', ')}.`,
      {
        hint: 'Download it by other means, save it with transformers (save_pretrained writes safetensors), and name that folder instead.',
      },
    );
  }
  for (const file of files) if (textFiles.includes(file) || moduleFiles.test(file)) await fetch(file);
  const file = await fetch(weights);
  if (weights !== weightsIndexFile) return;
  for (const shard of await readShardNames(file)) {
    if (!files.includes(shard)) {
      throw new BenchError(
        'CHECKPOINT_INVALID',
        `The model ${name} has no ${shard}, which its ${weightsIndexFile} names.`,
      );
    }
    await fetch(shard);
  }
}
