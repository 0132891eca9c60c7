/**
 * The files of a published sentence encoder, as sentence-transformers writes them: modules.json and what it names. Nothing of
 * them is left out silently: what they ask for and is not known here is refused by its name.
 */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { readAs } from './published-kind.js';
import type { PoolingMode, SentenceModule } from './sentence-model.js';
import { assertOrder, readModule, readModules } from './sentence-modules.js';
import { countOf, FileReader, type Json } from './sentence-reader.js';

export type Similarity = 'dot' | 'cosine';

/** What the files say, or a user instead of them. */
export interface SentenceFacts {
  /** Folder of the encoder and its tokenizer. */
  encoderFolder: string;
  modules: readonly SentenceModule[];
  /** By place in `modules`, the folders of dense layers. */
  denseFolders: ReadonlyMap<number, string>;
  similarity: Similarity;
  /** Put before a text; empty where there is none. */
  prompts: { query: string; passage: string };
  /** Longest text in tokens; undefined where no file says. */
  maxTokens: number | undefined;
  /** Whether texts are lower-cased before the tokenizer sees them. */
  lowercases: boolean;
  /** Names of the files that were read, below the folder. */
  files: readonly string[];
}

/** `pretrained.*` of the configuration: null leaves the say to the files. */
export interface SentenceOverrides {
  pooling: PoolingMode | null;
  similarity: Similarity | null;
  queryPrompt: string | null;
  passagePrompt: string | null;
  maxTokens: number | null;
}

/** @throws BenchError CHECKPOINT_INVALID for what cannot be read or is not known, CONFIG_INVALID for what no file says */
export function readSentenceFacts(folder: string, overrides: SentenceOverrides): Promise<SentenceFacts> {
  return readAs('pretrained', folder, () => factsIn(folder, overrides));
}

async function factsIn(folder: string, overrides: SentenceOverrides): Promise<SentenceFacts> {
  const files = new FileReader(folder);
  const listed = await readModules(files);
  const transformer = listed?.[0]?.path ?? '';
  const limits = await readLimits(files, transformer);
  const general = (await files.object('config_sentence_transformers.json')) ?? {};
  files.refuseOthers(general, generalKeys, 'of how texts are encoded');
  if (![undefined, null, 'SentenceTransformer'].includes(general.model_type as string | null | undefined))
    throw files.refused(`its model_type is ${JSON.stringify(general.model_type)}`);
  const modules: SentenceModule[] = [];
  const denseFolders = new Map<number, string>();
  for (const { type, path: own } of listed?.slice(1) ?? []) {
    if (type === 'Dense') denseFolders.set(modules.length, path.join(folder, own));
    modules.push(await readModule(files, type, own));
  }
  if (listed !== undefined) assertOrder(files, modules);
  const similarity = overrides.similarity ?? similarityOf(files, general, listed !== undefined);
  return {
    encoderFolder: path.join(folder, transformer),
    modules: withOverrides(files, modules, overrides, similarity),
    denseFolders,
    similarity: similarity!,
    prompts: promptsOf(files, general, overrides),
    maxTokens:
      overrides.maxTokens ??
      countOf(files, limits, 'max_seq_length') ??
      (await longestInput(files, transformer)),
    lowercases: limits.do_lower_case === true,
    files: files.read,
  };
}

/** What newer versions say of an encoder of texts, by what is taken of it: its last layer, or the logits behind it. */
const textOnly = (task: string, output: string): Json => ({
  transformer_task: task,
  modality_config: { text: { method: 'forward', method_output_name: output } },
  module_output_name: 'token_embeddings',
});
const tasks = {
  'feature-extraction': textOnly('feature-extraction', 'last_hidden_state'),
  'fill-mask': textOnly('fill-mask', 'logits'),
} as const;

/** What a model says of the texts that its encoder takes. @throws BenchError CHECKPOINT_INVALID for what is not known */
export async function readLimits(
  files: FileReader,
  transformer: string,
  task: keyof typeof tasks = 'feature-extraction',
): Promise<Json> {
  const limits = (await files.firstObject(transformer, limitFiles)) ?? {};
  const known = ['max_seq_length', 'do_lower_case'];
  const { __version__: _, ...said } = limits;
  const others = Object.entries(said).filter(
    ([key, value]) => !known.includes(key) && JSON.stringify(value) !== JSON.stringify(tasks[task][key]),
  );
  files.refuseOthers(Object.fromEntries(others), [], 'of its encoder');
  return limits;
}

/** What its tokenizer says, where it is a length and no sign of having none. */
export async function longestInput(files: FileReader, transformer: string): Promise<number | undefined> {
  const { model_max_length: most } =
    (await files.object(path.join(transformer, 'tokenizer_config.json'))) ?? {};
  return typeof most === 'number' && Number.isSafeInteger(most) && most > 0 && most < 1e9 ? most : undefined;
}

/** Names that earlier versions gave it, by kind of encoder. */
export const limitFiles = [
  'bert',
  'roberta',
  'distilbert',
  'camembert',
  'albert',
  'xlm-roberta',
  'xlnet',
].map((kind) => `sentence_${kind}_config.json`);
const generalKeys = ['__version__', 'prompts', 'default_prompt_name', 'similarity_fn_name', 'model_type'];

function withOverrides(
  files: FileReader,
  modules: readonly SentenceModule[],
  { pooling }: SentenceOverrides,
  similarity: Similarity | undefined,
): SentenceModule[] {
  const missing = [
    ...(modules.length === 0 && pooling === null ? ['pretrained.pooling (cls, mean, ...)'] : []),
    ...(similarity === undefined ? ['pretrained.similarity (dot or cosine)'] : []),
  ];
  if (missing.length > 0) {
    throw new BenchError(
      'CONFIG_INVALID',
      `${files.folder} has no modules.json: nothing says how its tokens' vectors become one.`,
      { hint: `Give ${missing.join(' and ')} with --set, as its authors use it.` },
    );
  }
  const [own] = modules.filter((module) => module.kind === 'pooling');
  const asked: SentenceModule[] =
    pooling === null
      ? []
      : [{ kind: 'pooling', modes: [pooling], includesPrompt: own?.includesPrompt ?? true }];
  const all = pooling === null ? [...modules] : [...asked, ...modules.filter((module) => module !== own)];
  // The product of vectors of length 1 is the cosine.
  if (similarity === 'cosine' && all.at(-1)!.kind !== 'normalize') all.push({ kind: 'normalize' });
  return all;
}

/** Cosine where a model says nothing, as in sentence-transformers; undefined where it is no model of its. */
function similarityOf(files: FileReader, general: Json, isListed: boolean): Similarity | undefined {
  const { similarity_fn_name: name } = general;
  if (name === undefined || name === null) return isListed ? 'cosine' : undefined;
  if (name === 'cosine' || name === 'dot') return name;
  if (name === 'dot_product') return 'dot';
  throw files.refused(`its similarity is ${JSON.stringify(name)}; known: dot, cosine`);
}

/** Names that a passage's prompt has in some models, and that `encode_document` does not look for. */
const unheardNames = ['passage', 'corpus'];

/**
 * Those named `query` and `document`, as `encode_query` and `encode_document` of sentence-transformers take them. Where a
 * model's files leave it open what its authors put before a text, nothing is guessed.
 */
export function promptsOf(
  files: FileReader,
  { prompts = {}, default_prompt_name: usual }: Json,
  { queryPrompt, passagePrompt }: Pick<SentenceOverrides, 'queryPrompt' | 'passagePrompt'>,
): SentenceFacts['prompts'] {
  if (
    prompts === null ||
    typeof prompts !== 'object' ||
    Object.values(prompts).some((each) => typeof each !== 'string')
  )
    throw files.refused(`its prompts are ${JSON.stringify(prompts)}`);
  const known = prompts as Readonly<Record<string, string>>;
  const open = (name: string | undefined) => name !== undefined && (known[name] ?? '') !== '';
  if (typeof usual === 'string' && !Object.hasOwn(known, usual))
    throw files.refused(`its default prompt '${usual}' is none of its prompts`);
  const doubtful = [
    ...(typeof usual === 'string' && open(usual) && (queryPrompt ?? passagePrompt) === null ? [usual] : []),
    ...(passagePrompt === null && !open('document') ? unheardNames.filter(open) : []),
  ];
  if (doubtful.length > 0) {
    const list = doubtful.map((name) => `'${name}' (${JSON.stringify(known[name])})`).join(', ');
    throw new BenchError(
      'CONFIG_INVALID',
      `${files.folder} names the prompt ${list}, and does not say whether a retrieved passage or a query begins with it.`,
      {
        hint: `Say it with --set ${files.section}.queryPrompt=... and --set ${files.section}.passagePrompt=..., as its authors use it; empty for none.`,
      },
    );
  }
  return { query: queryPrompt ?? known.query ?? '', passage: passagePrompt ?? known.document ?? '' };
}

/**
 * What a published model asks for that its bare encoder does not give: `mean pooling, cosine`. Undefined where it asks for
 * nothing, or for [CLS] of the last layer, as architectures here take it, and for the same comparison.
 * @param compared how vectors are compared here
 */
export async function askedBeside(folder: string, compared: Similarity): Promise<string | undefined> {
  const files = new FileReader(folder);
  if ((await files.json('modules.json')) === undefined) return undefined;
  const none = {
    pooling: null,
    similarity: null,
    queryPrompt: '',
    passagePrompt: '',
    maxTokens: null,
  } as const;
  try {
    const { modules, similarity } = await readSentenceFacts(folder, none);
    const [pooling, ...others] = modules;
    const modes = pooling?.kind === 'pooling' ? pooling.modes.join('+') : 'no';
    // The product of vectors of length 1 is their cosine.
    const own = others.length > 0 ? 'cosine' : 'dot';
    const isBare = modes === 'cls' && others.every(({ kind }) => kind === 'normalize');
    if (isBare && own === compared) return undefined;
    return `${modes} pooling, ${similarity}`;
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    return `modules of its own (${error.message})`;
  }
}
