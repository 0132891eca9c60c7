/**
 * The files of a published cross-encoder, as sentence-transformers' CrossEncoder (6.2) reads them: a checkpoint of transformers'
 * `ForSequenceClassification`, and what newer versions put beside it. What they ask for and is not known here is refused by its name.
 */
import path from 'node:path';
import type { ModelConfig } from './fields.js';
import { readAs } from './published-kind.js';
import { limitFiles, longestInput } from './sentence-files.js';
import { readModules } from './sentence-modules.js';
import { countOf, FileReader, type Json } from './sentence-reader.js';

/** What a logit becomes before it is a score. */
export const scoreActivations = ['identity', 'sigmoid'] as const;
export type ScoreActivation = (typeof scoreActivations)[number];

/** What the files say, or a user instead of them. */
export interface CrossFacts {
  /** Folder of the encoder, its head and its tokenizer. */
  encoderFolder: string;
  config: ModelConfig;
  activation: ScoreActivation;
  /** Longest pair in tokens; undefined where no file says. */
  maxTokens: number | undefined;
  /** Whether texts are lower-cased before the tokenizer sees them. */
  lowercases: boolean;
  /** Whether the model is told the segment of each token; undefined where the files leave it open. */
  givesTypes: boolean | undefined;
  /** Names of the files that were read, below the folder. */
  files: readonly string[];
}

/** `cross.*` of the configuration: null leaves the say to the files. */
export interface CrossOverrides {
  maxTokens: number | null;
}

/** @throws BenchError CHECKPOINT_INVALID for what cannot be read or is not known */
export function readCrossFacts(folder: string, overrides: CrossOverrides): Promise<CrossFacts> {
  return readAs('cross', folder, () => factsIn(folder, overrides));
}

async function factsIn(folder: string, overrides: CrossOverrides): Promise<CrossFacts> {
  const files = new FileReader(folder, 'cross');
  const listed = await readModules(files);
  if (listed !== undefined && listed.length > 1)
    throw files.refused(
      `modules.json names ${listed.map(({ type }) => type).join(', ')}; known: Transformer alone, whose head gives the score`,
    );
  const own = listed?.[0]?.path ?? '';
  const limits = (listed && (await files.firstObject(own, limitFiles))) ?? {};
  assertClassifies(files, limits);
  const general = (listed && (await files.object('config_sentence_transformers.json'))) ?? {};
  assertGeneral(files, general);
  const config = await files.object(path.join(own, 'config.json'));
  if (config === undefined) throw files.refused('there is no config.json');
  assertHead(files, config);
  const tokenizer = (await files.object(path.join(own, 'tokenizer_config.json'))) ?? {};
  for (const side of ['truncation_side', 'padding_side'])
    if (![undefined, null, 'right'].includes(tokenizer[side] as string))
      throw files.refused(`its tokenizer has the ${side} ${JSON.stringify(tokenizer[side])}; known: right`);
  return {
    encoderFolder: path.join(folder, own),
    config,
    activation: activationOf(files, general, config),
    maxTokens:
      overrides.maxTokens ?? countOf(files, limits, 'max_seq_length') ?? (await longestInput(files, own)),
    lowercases: limits.do_lower_case === true,
    givesTypes: typesOf(tokenizer, config),
    files: [...new Set(files.read)].filter((name) => name !== path.join(own, 'config.json')),
  };
}

/** What newer versions say of a model whose head gives the score. */
const classifies: Json = {
  transformer_task: 'sequence-classification',
  modality_config: { text: { method: 'forward', method_output_name: 'logits' } },
  module_output_name: 'scores',
};

function assertClassifies(files: FileReader, limits: Json): void {
  const { __version__: _, max_seq_length: __, do_lower_case: ___, ...said } = limits;
  const others = Object.entries(said).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(classifies[key]),
  );
  files.refuseOthers(Object.fromEntries(others), [], 'of its encoder');
}

function assertGeneral(files: FileReader, general: Json): void {
  const known = ['__version__', 'prompts', 'default_prompt_name', 'activation_fn', 'model_type'];
  files.refuseOthers(general, known, 'of how pairs are scored');
  const { model_type: type, prompts, default_prompt_name: usual } = general;
  if (![undefined, null, 'CrossEncoder'].includes(type as string | null | undefined))
    throw files.refused(`its model_type is ${JSON.stringify(type)}; known: CrossEncoder`);
  const texts = prompts === null || typeof prompts !== 'object' ? [prompts] : Object.values(prompts);
  const isSaid = texts.some((text) => text !== '' && text !== undefined && text !== null);
  if (isSaid || (usual !== undefined && usual !== null))
    throw files.refused(`its prompts are ${JSON.stringify({ prompts, default_prompt_name: usual })}`);
}

/** That there is a head, of one label. */
function assertHead(files: FileReader, config: Json): void {
  const { architectures, auto_map: own, num_labels: said, id2label } = config;
  const named = Array.isArray(architectures) ? architectures : [];
  if (!named.every((name) => typeof name === 'string' && name.endsWith('ForSequenceClassification')))
    throw files.refused(
      `config.json names the architecture ${JSON.stringify(architectures)}; known: those that end with ForSequenceClassification`,
    );
  if (own !== null && typeof own === 'object' && 'AutoModelForSequenceClassification' in own)
    throw files.refused("auto_map names code of the checkpoint's own, which is not run");
  const listed = id2label !== null && typeof id2label === 'object' ? Object.keys(id2label).length : undefined;
  // Where config.json is silent, transformers has two.
  const labels = listed ?? said ?? 2;
  if (labels !== 1 || (said ?? 1) !== 1)
    throw files.refused(
      `it has ${said !== undefined && said !== listed ? JSON.stringify(said) : labels} labels: which of them is the score is not said; known: 1`,
    );
}

/** By the names that sentence-transformers writes, old and new. */
const activationNames: Readonly<Record<string, ScoreActivation>> = {
  'torch.nn.modules.linear.Identity': 'identity',
  'torch.nn.Identity': 'identity',
  'torch.nn.modules.activation.Sigmoid': 'sigmoid',
  'torch.nn.Sigmoid': 'sigmoid',
};

/** In the order in which CrossEncoder looks; a sigmoid where nothing is said. */
function activationOf(files: FileReader, general: Json, config: Json): ScoreActivation {
  const beside = config.sentence_transformers as Json | null | undefined;
  const isNew = beside !== null && typeof beside === 'object' && 'activation_fn' in beside;
  const inConfig = isNew ? beside.activation_fn : config.sbert_ce_default_activation_function;
  const said = general.activation_fn ?? inConfig ?? undefined;
  if (said === undefined) return 'sigmoid';
  const found =
    typeof said === 'string' && Object.hasOwn(activationNames, said) ? activationNames[said] : undefined;
  if (found !== undefined) return found;
  throw files.refused(
    `its activation is ${JSON.stringify(said)}; known: ${Object.keys(activationNames).join(', ')}`,
  );
}

/**
 * As transformers (5.24) asks its tokenizers: `model_input_names` where it is said, else by their class. Of a tokenizer that has none
 * of the known classes, versions of transformers differ.
 */
function typesOf({ model_input_names: names, tokenizer_class: named }: Json, config: Json) {
  if (Array.isArray(names)) return names.includes('token_type_ids');
  if (named === undefined || named === null) return ['bert', 'electra'].includes(String(config.model_type));
  const name = String(named).replace(/Fast$/, '');
  if (name === 'BertTokenizer' || name === 'ElectraTokenizer') return true;
  const without = ['DistilBertTokenizer', 'RobertaTokenizer', 'XLMRobertaTokenizer', 'MPNetTokenizer'];
  return without.includes(name) ? false : undefined;
}
