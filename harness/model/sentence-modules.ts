/** modules.json of a published sentence encoder, and the folders that it names. */
import path from 'node:path';
import { entryFor } from '../json.js';
import type { DenseActivation } from './activations.js';
import { type PoolingMode, poolingModes, type SentenceModule } from './sentence-model.js';
import { countOf, type FileReader, type Json } from './sentence-reader.js';

export interface Listed {
  type: string;
  /** Folder of the module, below that of the model. */
  path: string;
}

/** Undefined where there is no modules.json. @param firsts the modules that may stand first */
export async function readModules(
  files: FileReader,
  firsts: readonly string[] = ['Transformer'],
): Promise<Listed[] | undefined> {
  const listed = await files.json('modules.json');
  if (listed === undefined) return undefined;
  if (!Array.isArray(listed) || listed.length === 0) throw files.refused('modules.json lists no modules');
  const modules = listed.map((each: unknown): Listed & { idx: number } => {
    const { idx, path: own, type } = (each ?? {}) as Json;
    const name = /^sentence_transformers\.(?:\w+\.)*(\w+)$/.exec(typeof type === 'string' ? type : '')?.[1];
    if (typeof idx !== 'number' || typeof own !== 'string' || !/^[\w.-]*$/.test(own) || own === '..')
      throw files.refused(`modules.json has the entry ${JSON.stringify(each)}`);
    if (name === undefined)
      throw files.refused(`modules.json names ${JSON.stringify(type)}: code of the model's own is not run`);
    return { idx, type: name, path: own };
  });
  modules.sort((a, b) => a.idx - b.idx);
  if (!firsts.includes(modules[0]!.type))
    throw files.refused(
      `its first module is ${modules[0]!.type}, and only ${firsts.join(' and ')} ${firsts.length === 1 ? 'is' : 'are'} known there`,
    );
  return modules;
}

export async function readModule(files: FileReader, type: string, own: string): Promise<SentenceModule> {
  if (type === 'Normalize') {
    const config = (await files.object(path.join(own, 'config.json'))) ?? {};
    files.refuseOthers(withoutUsualNames(config), [], 'of normalization');
    return { kind: 'normalize' };
  }
  if (type === 'Pooling') return readPooling(files, await files.needed(path.join(own, 'config.json')));
  if (type === 'Dense') return readDense(files, await files.needed(path.join(own, 'config.json')));
  throw files.refused(`modules.json names the module ${type}; known: Transformer, Pooling, Dense, Normalize`);
}

/** By the key of the pooling's config.json. */
const modeKeys: Readonly<Record<string, PoolingMode>> = {
  pooling_mode_cls_token: 'cls',
  pooling_mode_max_tokens: 'max',
  pooling_mode_mean_tokens: 'mean',
  pooling_mode_mean_sqrt_len_tokens: 'mean-sqrt',
  pooling_mode_weightedmean_tokens: 'weighted-mean',
  pooling_mode_lasttoken: 'last',
};
/** By the word that newer versions write instead. */
const modeWords: Readonly<Record<string, PoolingMode>> = {
  cls: 'cls',
  max: 'max',
  mean: 'mean',
  mean_sqrt_len_tokens: 'mean-sqrt',
  weightedmean: 'weighted-mean',
  lasttoken: 'last',
};

function readPooling(files: FileReader, config: Json): SentenceModule {
  const known = [...Object.keys(modeKeys), 'word_embedding_dimension', 'embedding_dimension'];
  files.refuseOthers(config, [...known, 'include_prompt', 'pooling_mode'], 'of pooling');
  const asked = new Set<PoolingMode>();
  for (const [key, mode] of Object.entries(modeKeys)) if (config[key] === true) asked.add(mode);
  for (const word of [config.pooling_mode ?? []].flat() as unknown[]) {
    const mode = entryFor(modeWords, word);
    if (mode === undefined) throw files.refused(`its pooling is ${JSON.stringify(word)}`);
    asked.add(mode);
  }
  if (asked.size === 0) throw files.refused('its pooling names no mode');
  const width =
    countOf(files, config, 'word_embedding_dimension') ?? countOf(files, config, 'embedding_dimension');
  return {
    kind: 'pooling',
    modes: poolingModes.filter((mode) => asked.has(mode)),
    includesPrompt: config.include_prompt !== false,
    ...(width !== undefined && { width }),
  };
}

const torchActivations: Readonly<Record<string, DenseActivation>> = {
  'torch.nn.modules.linear.Identity': 'identity',
  'torch.nn.modules.activation.Tanh': 'tanh',
  'torch.nn.modules.activation.ReLU': 'relu',
  'torch.nn.modules.activation.GELU': 'gelu',
  'torch.nn.modules.activation.Sigmoid': 'sigmoid',
};

/** Newer versions name what a module takes and gives. */
export function withoutUsualNames(config: Json): Json {
  const { module_input_name: input, module_output_name: output, ...rest } = config;
  const usual = [undefined, 'sentence_embedding'];
  return {
    ...rest,
    ...(!usual.includes(input as string) && { module_input_name: input }),
    ...(!usual.includes(output as string) && { module_output_name: output }),
  };
}

function readDense(files: FileReader, config: Json): SentenceModule {
  const known = ['in_features', 'out_features', 'bias', 'activation_function'];
  files.refuseOthers(withoutUsualNames(config), known, 'of a dense layer');
  const activation = entryFor(torchActivations, config.activation_function);
  if (activation === undefined)
    throw files.refused(
      `a dense layer has the activation ${JSON.stringify(config.activation_function)}; known: ${Object.keys(torchActivations).join(', ')}`,
    );
  const [inputs, outputs] = [countOf(files, config, 'in_features'), countOf(files, config, 'out_features')];
  if (inputs === undefined || outputs === undefined)
    throw files.refused('a dense layer does not say its size');
  return { kind: 'dense', inputs, outputs, hasBias: config.bias !== false, activation };
}

export function assertOrder(files: FileReader, modules: readonly SentenceModule[]): void {
  const poolings = modules.filter(({ kind }) => kind === 'pooling').length;
  if (poolings !== 1 || modules[0]!.kind !== 'pooling')
    throw files.refused(
      `it has ${poolings} poolings${poolings === 1 ? ', which does not follow the encoder' : ''}; one is needed, behind the encoder`,
    );
}
