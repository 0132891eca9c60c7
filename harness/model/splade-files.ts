/**
 * The files of a learned sparse model, as sentence-transformers' SparseEncoder writes and reads them, or those of a bare masked
 * language model. Nothing of them is left out silently: what they ask for and is not known here is refused by its name.
 */
import path from 'node:path';
import { readAs } from './published-kind.js';
import { longestInput, promptsOf, readLimits } from './sentence-files.js';
import { type Listed, readModules, withoutUsualNames } from './sentence-modules.js';
import { countOf, FileReader, type Json } from './sentence-reader.js';
import type { SpladePooling } from './splade-model.js';

/** What the files say, or a user instead of them. */
export interface SpladeFacts {
  /** Folder of the encoder and its tokenizer. */
  encoderFolder: string;
  pooling: SpladePooling;
  /** Put before a text; empty where there is none. */
  prompts: { query: string; passage: string };
  /** Longest text in tokens; undefined where no file says. */
  maxTokens: number | undefined;
  /** Whether texts are lower-cased before the tokenizer sees them. */
  lowercases: boolean;
  /** Weights of a text that are kept, the largest; undefined where all are. */
  kept: { query: number | undefined; passage: number | undefined };
  /** Where queries need no encoder: the folder of a weight for each token, below the model's, and the longest query. */
  queryTable?: { folder: string; maxTokens: number | undefined };
  /** Names of the files that were read, below the folder. */
  files: readonly string[];
}

/** `sparse.*` of the configuration: null leaves the say to the files. */
export interface SpladeOverrides {
  queryPrompt: string | null;
  passagePrompt: string | null;
  maxTokens: number | null;
  queryWeights: number | null;
  passageWeights: number | null;
}

/** @throws BenchError CHECKPOINT_INVALID for what cannot be read or is not known, CONFIG_INVALID for what no file says */
export function readSpladeFacts(folder: string, overrides: SpladeOverrides): Promise<SpladeFacts> {
  return readAs('sparse', folder, () => factsIn(folder, overrides));
}

async function factsIn(folder: string, overrides: SpladeOverrides): Promise<SpladeFacts> {
  const files = new FileReader(folder, 'sparse');
  const listed = await readModules(files, ['Transformer', 'MLMTransformer', 'Router']);
  const { encoder, pooling, table } = await modulesOf(files, listed);
  const general = (await files.object('config_sentence_transformers.json')) ?? {};
  const { similarity_fn_name: similarity, model_type: type } = general;
  files.refuseOthers(general, generalKeys, 'of how texts are encoded');
  if (![undefined, null, 'SparseEncoder'].includes(type as string | null | undefined))
    throw files.refused(`its model_type is ${JSON.stringify(type)}, not SparseEncoder`);
  if (![undefined, null, 'dot', 'dot_product'].includes(similarity as string | null | undefined))
    throw files.refused(`its similarity is ${JSON.stringify(similarity)}; known: dot`);
  const limits = await readLimits(files, encoder, 'fill-mask');
  const most = countOf(files, general, 'max_active_dims');
  const longest = async (below: string) => overrides.maxTokens ?? (await longestInput(files, below));
  return {
    encoderFolder: path.join(folder, encoder),
    pooling,
    prompts: promptsOf(files, general, overrides),
    maxTokens: overrides.maxTokens ?? countOf(files, limits, 'max_seq_length') ?? (await longest(encoder)),
    lowercases: limits.do_lower_case === true,
    kept: { query: overrides.queryWeights ?? most, passage: overrides.passageWeights ?? most },
    ...(table !== undefined && { queryTable: { folder: table, maxTokens: await longest(table) } }),
    files: files.read,
  };
}

const generalKeys = [
  ...['__version__', 'prompts', 'default_prompt_name', 'similarity_fn_name', 'model_type'],
  'max_active_dims',
];

interface Modules {
  /** Folder of the encoder, below that of the model. */
  encoder: string;
  pooling: SpladePooling;
  /** Folder of the weights of a query's tokens. */
  table?: string;
}

async function modulesOf(files: FileReader, listed: readonly Listed[] | undefined): Promise<Modules> {
  if (listed === undefined) return bareModel(files);
  const [first, ...others] = listed as [Listed, ...Listed[]];
  if (first.type !== 'Router') return withPooling(files, listed);
  if (others.length > 0)
    throw files.refused(`modules.json names ${others[0]!.type} behind its Router, which is not known`);
  return routed(files, first.path);
}

/** As SparseEncoder takes a folder without modules.json. */
async function bareModel(files: FileReader): Promise<Modules> {
  const { architectures } = (await files.object('config.json')) ?? {};
  const named = Array.isArray(architectures) ? (architectures as unknown[]) : [];
  if (named.some((name) => typeof name === 'string' && name.endsWith('ForMaskedLM')))
    return { encoder: '', pooling: { over: 'max', logs: 1 } };
  throw files.refused(
    `it has no modules.json, and its config.json names ${JSON.stringify(architectures) ?? 'no architecture'}, which is no masked language model (BertForMaskedLM, ...)`,
  );
}

async function withPooling(files: FileReader, [encoder, ...others]: readonly Listed[]): Promise<Modules> {
  const [pooling, ...rest] = others;
  if (pooling?.type !== 'SpladePooling' || rest.length > 0)
    throw files.refused(
      `behind its ${encoder!.type} it has ${others.map(({ type }) => type).join(', ') || 'nothing'}; known: SpladePooling alone`,
    );
  const config = withoutUsualNames(await files.needed(path.join(pooling.path, 'config.json')));
  return { encoder: encoder!.path, pooling: poolingOf(files, config) };
}

function poolingOf(files: FileReader, config: Json): SpladePooling {
  const { pooling_strategy: over = 'max', activation_function: activation = 'relu' } = config;
  const known = [
    'pooling_strategy',
    'activation_function',
    'word_embedding_dimension',
    'embedding_dimension',
  ];
  files.refuseOthers(config, [...known, 'chunk_size'], 'of SPLADE pooling');
  if (over !== 'max' && over !== 'sum')
    throw files.refused(`its pooling_strategy is ${JSON.stringify(over)}; known: max, sum`);
  if (activation !== 'relu' && activation !== 'log1p_relu')
    throw files.refused(`its activation_function is ${JSON.stringify(activation)}; known: relu, log1p_relu`);
  return { over, logs: activation === 'relu' ? 1 : 2 };
}

/** Passages by an encoder, queries by a weight for each of their tokens: no encoder is run for them. */
async function routed(files: FileReader, own: string): Promise<Modules> {
  const router = await files.needed(path.join(own, 'router_config.json'));
  const { types, structure, parameters, ...rest } = router as Readonly<Record<string, Json | undefined>>;
  files.refuseOthers(rest, ['__version__'], 'of its router');
  const { route_mappings: mappings = {}, ...said } = parameters ?? {};
  files.refuseOthers(said, ['default_route', 'allow_empty_key'], 'of its router');
  files.refuseOthers({ mappings }, [], 'of its router');
  const routes = Object.keys(structure ?? {})
    .sort()
    .join(' and ');
  if (routes !== 'document and query')
    throw files.refused(`its router has the routes ${routes || 'none'}; known: document and query`);
  const modulesOn = (route: string): Listed[] =>
    [structure![route] ?? []].flat().map((name): Listed => {
      const type = /^sentence_transformers\.(?:\w+\.)*(\w+)$/.exec(String(types?.[String(name)]))?.[1];
      if (type === undefined || !/^[\w.-]*$/.test(String(name)) || name === '..')
        throw files.refused(`its router names the module ${JSON.stringify(name)}, which is not known`);
      return { type, path: path.join(own, String(name)) };
    });
  const [table, ...behind] = modulesOn('query');
  if (table?.type !== 'SparseStaticEmbedding' || behind.length > 0)
    throw files.refused(
      `its queries go through ${
        modulesOn('query')
          .map(({ type }) => type)
          .join(', ') || 'nothing'
      }; known: SparseStaticEmbedding alone`,
    );
  const config = (await files.object(path.join(table.path, 'config.json'))) ?? {};
  files.refuseOthers(config, ['frozen'], 'of the weights of queries');
  const passages = modulesOn('document');
  if (!['Transformer', 'MLMTransformer'].includes(passages[0]?.type ?? ''))
    throw files.refused(
      `its passages go through ${passages[0]?.type ?? 'nothing'} first; known: Transformer`,
    );
  return { ...(await withPooling(files, passages)), table: table.path };
}
