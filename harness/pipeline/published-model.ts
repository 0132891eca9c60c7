/** A published sentence encoder, opened as its own files have it. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import type { DataFile } from '../contracts.js';
import { BenchError } from '../errors.js';
import { describeEncoder, loadEncoder } from '../model/checkpoint.js';
import type { Encoder } from '../model/encoder.js';
import { encoderTokenizer } from '../model/encoder-tokenizer.js';
import { readSentenceFacts, type SentenceFacts, type SentenceOverrides } from '../model/sentence-files.js';
import { SentenceModel } from '../model/sentence-model.js';
import type { ModelSection } from '../model/sentence-reader.js';
import { finite } from '../model/stored-weights.js';
import { TensorSource } from '../model/tensor-source.js';
import { keyOf } from '../store/hash.js';
import { describeFile } from '../store/hash-once.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { joinedText } from './joined-text.js';
import { readOnce } from './last-read.js';
import { filesOf } from './named-models.js';
import type { OpenModel } from './open-model.js';

export interface PublishedModel extends OpenModel {
  retriever: SentenceModel;
  facts: SentenceFacts;
  tokenizer: Tokenizer;
  /** All that was read, with hashes. */
  files: DataFile[];
  remarks: readonly string[];
}

/** What can be known without reading the weights. */
export interface PublishedShape {
  facts: SentenceFacts;
  model: SentenceModel;
  tokenizer: Tokenizer;
  maxTokens: number;
}

/** @throws BenchError CHECKPOINT_INVALID for what is missing or not known, CONFIG_INVALID for what no file says */
export async function describePublished(
  folder: string,
  overrides: SentenceOverrides,
): Promise<PublishedShape> {
  const facts = await readSentenceFacts(folder, overrides);
  const encoder = await describeEncoder(facts.encoderFolder);
  assertWidths(folder, facts, encoder);
  const tokenizer = await encoderTokenizer(facts.encoderFolder, encoder);
  const maxTokens = lengthOf(folder, facts, encoder);
  const promptTokens = {
    query: promptLength(facts.prompts.query, tokenizer, maxTokens),
    passage: promptLength(facts.prompts.passage, tokenizer, maxTokens),
  };
  return { facts, model: new SentenceModel(encoder, facts.modules, promptTokens), tokenizer, maxTokens };
}

/** A model by its content: its files are hashed, and its weights are not read. */
export interface PublishedContent extends PublishedShape, Pick<OpenModel, 'key' | 'code'> {
  /** All that decides its vectors, with hashes. */
  files: DataFile[];
}

/** @throws BenchError as `describePublished` */
export async function publishedContent(
  folder: string,
  overrides: SentenceOverrides,
): Promise<PublishedContent> {
  const shape = await describePublished(folder, overrides);
  const { facts, model, maxTokens } = shape;
  const { modules, prompts, lowercases } = facts;
  const files = await filesIn(folder, facts);
  return {
    ...{ ...shape, files },
    key: keyOf({ files, modules, prompts, lowercases, maxTokens }),
    code: { published: true, encoder: model.encoder.shape.kind },
  };
}

/** @param name of the system */
export async function openPublished(
  folder: string,
  name: string,
  overrides: SentenceOverrides,
): Promise<PublishedModel> {
  const content = await publishedContent(folder, overrides);
  const { facts, model, tokenizer, maxTokens, files, key, code } = content;
  const { weights, remarks } = await readOnce(keyOf({ published: files }), async () => {
    const { weights: all, remarks: said = [] } = await loadEncoder(facts.encoderFolder);
    for (const own of facts.denseFolders.values()) all.push(...(await denseWeights(own)));
    assertShapes(folder, model, all);
    return { weights: all, remarks: said };
  });
  const { query, passage } = facts.prompts;
  const encode = (text: string) =>
    tokenizer.encodeSingle(facts.lowercases ? text.toLowerCase() : text, maxTokens);
  return {
    ...{ name, key, code, facts, tokenizer, files, remarks, retriever: model, weights },
    texts: {
      query: (text) => encode(query + text),
      // A query stands as it is.
      passage: (given) => encode(passage + joinedText(given)),
    },
    maxTokens: { query: maxTokens, passage: maxTokens },
  };
}

/** Tokens that belong to a prompt, as sentence-transformers counts them: those before the text. */
export function promptLength(
  prompt: string,
  tokenizer: Tokenizer,
  maxTokens: number,
  section: ModelSection = 'pretrained',
): number {
  if (prompt === '') return 0;
  const whole = tokenizer.encodeSingle(prompt, Number.MAX_SAFE_INTEGER).length;
  const length = whole - (tokenizer.tokensBehind > 0 ? 1 : 0);
  if (whole < maxTokens) return length;
  throw new BenchError(
    'CONFIG_INVALID',
    `The prompt ${JSON.stringify(prompt)} takes ${length} of ${maxTokens} tokens, and leaves none for a text.`,
    { hint: `Give a shorter one with --set ${section}.queryPrompt or ${section}.passagePrompt.` },
  );
}

/** @param section of the configuration that may say it */
export function lengthOf(
  folder: string,
  { maxTokens }: Pick<SentenceFacts, 'maxTokens'>,
  { shape }: Encoder,
  section: ModelSection = 'pretrained',
): number {
  const length = Math.min(maxTokens ?? Infinity, shape.maxTokens);
  if (Number.isFinite(length)) return length;
  throw new BenchError('CONFIG_INVALID', `${folder} does not say how long a text may be.`, {
    hint: `Give --set ${section}.maxTokens=512, or as many as its authors use.`,
  });
}

function assertWidths(folder: string, { modules }: SentenceFacts, { shape: { dimensions } }: Encoder): void {
  const fault = (what: string) =>
    new BenchError('CHECKPOINT_INVALID', `${folder} cannot be used as it was published: ${what}.`, {
      hint: 'Its folders belong to different models; copy or download it again.',
    });
  let width = dimensions;
  for (const module of modules) {
    if (module.kind === 'pooling') {
      if (module.width !== undefined && module.width !== width)
        throw fault(`its pooling is for ${module.width} numbers a token, and its encoder gives ${width}`);
      width *= module.modes.length;
    }
    if (module.kind !== 'dense') continue;
    if (module.inputs !== width)
      throw fault(`a dense layer takes ${module.inputs} numbers and gets ${width}`);
    width = module.outputs;
  }
}

async function denseWeights(folder: string): Promise<Float32Array[]> {
  return closing(await TensorSource.open(folder, await readdir(folder).catch(() => [])), async (source) => {
    const names = ['linear.weight', 'linear.bias'].filter((name) => source.shapeOf(name) !== undefined);
    return await Promise.all(names.map(async (name) => finite(folder, name, await source.read(name))));
  });
}

function assertShapes(folder: string, { parameters }: SentenceModel, weights: readonly Float32Array[]): void {
  const sizes = parameters.map(({ shape }) => shape.reduce((product, size) => product * size, 1));
  const wrong = sizes.findIndex((size, i) => weights[i]?.length !== size);
  if (wrong < 0 && weights.length === parameters.length) return;
  throw new BenchError(
    'CHECKPOINT_INVALID',
    `${folder} cannot be used as it was published: ${
      wrong < 0
        ? `its dense layers hold ${weights.length - parameters.length} arrays more than they say`
        : `${parameters[wrong]!.name} of its dense layers holds ${weights[wrong]?.length ?? 'no'} numbers, not ${sizes[wrong]}`
    }.`,
  );
}

async function filesIn(folder: string, facts: SentenceFacts): Promise<DataFile[]> {
  const files: DataFile[] = await filesOf(facts.encoderFolder);
  const below = async (name: string) => {
    files.push({ ...(await describeFile(path.join(folder, name))), name });
  };
  for (const name of facts.files) await below(name);
  for (const own of facts.denseFolders.values())
    for (const name of (await readdir(own)).filter((each) => each.endsWith('.safetensors')))
      await below(path.relative(folder, path.join(own, name)));
  return files;
}
