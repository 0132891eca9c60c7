/** A learned sparse model, opened as its own files have it. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { DataFile, Passage } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { TokenWeights } from '../index/token-weights.js';
import { describeEncoder, loadEncoder } from '../model/checkpoint.js';
import { encoderTokenizer } from '../model/encoder-tokenizer.js';
import { describeHead, loadHead } from '../model/masked-head.js';
import { readSpladeFacts, type SpladeFacts, type SpladeOverrides } from '../model/splade-files.js';
import { SpladeModel } from '../model/splade-model.js';
import { finite } from '../model/stored-weights.js';
import { TensorSource } from '../model/tensor-source.js';
import { keyOf } from '../store/hash.js';
import { describeFile } from '../store/hash-once.js';
import type { Engine } from '../tensor/engine.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { joinedText } from './joined-text.js';
import { readOnce } from './last-read.js';
import { filesOf } from './named-models.js';
import { type OpenModel, openEncoder } from './open-model.js';
import { lengthOf, promptLength } from './published-model.js';

/** What can be known without reading the weights. */
export interface SparseShape {
  facts: SpladeFacts;
  model: SpladeModel;
  tokenizer: Tokenizer;
  maxTokens: { query: number; passage: number };
  /** Of queries that need no encoder. */
  queryTokenizer?: Tokenizer;
}

/** @throws BenchError CHECKPOINT_INVALID for what is missing or not known, CONFIG_INVALID for what no file says */
export async function describeSparse(folder: string, overrides: SpladeOverrides): Promise<SparseShape> {
  const facts = await readSpladeFacts(folder, overrides);
  const encoder = await describeEncoder(facts.encoderFolder);
  const model = new SpladeModel(encoder, facts.pooling);
  await describeHead(facts.encoderFolder, encoder);
  const tokenizer = await encoderTokenizer(facts.encoderFolder, encoder);
  const passage = lengthOf(folder, facts, encoder, 'sparse');
  const { prompts, queryTable } = facts;
  // Refuses a prompt that leaves no token for a text.
  promptLength(prompts.passage, tokenizer, passage, 'sparse');
  if (queryTable === undefined) {
    promptLength(prompts.query, tokenizer, passage, 'sparse');
    return { facts, model, tokenizer, maxTokens: { query: passage, passage } };
  }
  const queryTokenizer = await encoderTokenizer(path.join(folder, queryTable.folder), encoder);
  return {
    ...{ facts, model, tokenizer, queryTokenizer },
    // Where no file says, a query is as long as it is.
    maxTokens: { query: queryTable.maxTokens ?? Number.MAX_SAFE_INTEGER, passage },
  };
}

/** A model by its content: its files are hashed, and its weights are not read. */
export interface SparseContent extends SparseShape, Pick<OpenModel, 'key' | 'code'> {
  /** All that decides its weights, with hashes. */
  files: DataFile[];
}

/** @throws BenchError as `describeSparse` */
export async function sparseContent(folder: string, overrides: SpladeOverrides): Promise<SparseContent> {
  const shape = await describeSparse(folder, overrides);
  const { facts, model, maxTokens } = shape;
  // How many weights are kept is the say of the index and of the search.
  const { pooling, prompts, lowercases, queryTable } = facts;
  const files = await filesIn(folder, facts);
  return {
    ...{ ...shape, files },
    key: keyOf({ files, pooling, prompts, lowercases, maxTokens, queryTable: queryTable?.folder ?? null }),
    code: { sparse: true, encoder: model.encoder.shape.kind },
  };
}

export interface SparseModel extends OpenModel {
  retriever: SpladeModel;
  facts: SpladeFacts;
  tokenizer: Tokenizer;
  files: DataFile[];
  remarks: readonly string[];
  /** The weight of each token of a query, [V]; absent where queries are encoded. */
  queryTable?: Float32Array;
}

/** @throws TypeError for another model */
export function modelOf(opened: OpenModel): SparseModel {
  if (opened.retriever instanceof SpladeModel) return opened as SparseModel;
  throw new TypeError(`${opened.name} weighs no tokens`);
}

/** What gives queries their weights; the caller closes it. */
export interface QueryWeightEncoder {
  /** @param tokens of each query, as `texts.query` gives them */
  encode(tokens: readonly Int32Array[]): Promise<TokenWeights>;
  close(): Promise<void>;
}

export function openQueryWeights(
  model: SparseModel,
  engine: Engine,
  asked: BenchConfig['encode'],
): QueryWeightEncoder {
  const { queryTable, retriever } = model;
  if (queryTable !== undefined) {
    return { encode: async (tokens) => weighed(tokens, queryTable), close: async () => undefined };
  }
  const encoder = openEncoder(model, 'query', engine, asked);
  return {
    async encode(tokens) {
      const { vectors, counts } = retriever.weightsOf((await encoder.encode(tokens)).vectors);
      return { pairs: vectors, counts };
    },
    close: () => encoder.dispose(),
  };
}

/** Each token of a text once, with its weight in the table; those of weight 0 are none. */
function weighed(texts: readonly Int32Array[], table: Float32Array): TokenWeights {
  const all = texts.map((tokens) =>
    [...new Set(tokens)].filter((token) => table[token]! > 0).sort((a, b) => a - b),
  );
  return {
    pairs: Float32Array.from(all.flatMap((tokens) => tokens.flatMap((token) => [token, table[token]!]))),
    counts: Int32Array.from(all, ({ length }) => length),
  };
}

/** @param name of the system */
export async function openSparseModel(
  folder: string,
  name: string,
  overrides: SpladeOverrides,
): Promise<SparseModel> {
  const content = await sparseContent(folder, overrides);
  const { facts, model, tokenizer, queryTokenizer, maxTokens, files, key, code } = content;
  const { encoderFolder, prompts, lowercases, queryTable } = facts;
  const { weights, remarks } = await readOnce(keyOf({ sparse: files }), async () => {
    const { encoder, weights: all, remarks: said = [] } = await loadEncoder(encoderFolder);
    const place = (parameter: string) => encoder.parameters.findIndex((each) => each.name === parameter);
    const head = await loadHead(encoderFolder, encoder, (parameter) => all[place(parameter)]!);
    return { weights: [...all, ...head.weights], remarks: [...new Set([...said, ...head.remarks])] };
  });
  const encode = (text: string, most: number) =>
    tokenizer.encodeSingle(lowercases ? text.toLowerCase() : text, most);
  return {
    ...{ name, key, code, facts, tokenizer, files, remarks, retriever: model, weights, maxTokens },
    ...(queryTable && {
      queryTable: await tableIn(path.join(folder, queryTable.folder), model.dimensions),
    }),
    texts: {
      query: (text) =>
        queryTokenizer === undefined
          ? encode(prompts.query + text, maxTokens.query)
          : Int32Array.from(queryTokenizer.encodeText(prompts.query + text).slice(0, maxTokens.query)),
      passage: (passage: Passage) => encode(prompts.passage + joinedText(passage), maxTokens.passage),
    },
  };
}

/** @throws BenchError CHECKPOINT_INVALID where it has no weight for each token, or one below 0, which no index of postings holds */
async function tableIn(folder: string, words: number): Promise<Float32Array> {
  return closing(await TensorSource.open(folder, await readdir(folder)), async (source) => {
    const shape = source.shapeOf('weight');
    const fault = (what: string) =>
      new BenchError('CHECKPOINT_INVALID', `${folder} cannot weigh the tokens of queries: ${what}.`, {
        hint: 'Copy or download the model again.',
      });
    if (shape?.join() !== String(words))
      throw fault(`its weight is ${shape === undefined ? 'missing' : `[${shape}]`}; expected [${words}]`);
    const table = finite(folder, 'weight', await source.read('weight'));
    const below = table.findIndex((value) => value < 0);
    if (below >= 0) throw fault(`token ${below} has the weight ${table[below]}, below 0`);
    return table;
  });
}

async function filesIn(folder: string, facts: SpladeFacts): Promise<DataFile[]> {
  const files: DataFile[] = await filesOf(facts.encoderFolder);
  const below = async (name: string) => {
    files.push({ ...(await describeFile(path.join(folder, name))), name });
  };
  for (const name of facts.files) if (!files.some((each) => each.name === name)) await below(name);
  if (facts.queryTable !== undefined) {
    const { folder: own } = facts.queryTable;
    for (const file of await filesOf(path.join(folder, own)))
      files.push({ ...file, name: path.join(own, file.name) });
  }
  return files;
}
