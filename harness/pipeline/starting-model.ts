/** What training starts from: a model, or a checkpoint trained before, made into the retriever that was asked for. */
import type { BenchConfig } from '../config/config.js';
import type { ArchitectureOptions, DataFile, EncoderShape } from '../contracts.js';
import { BenchError } from '../errors.js';
import { describeEncoder, loadEncoder, makeEncoder } from '../model/checkpoint.js';
import type { Encoder } from '../model/encoder.js';
import { encoderTokenizer } from '../model/encoder-tokenizer.js';
import type { ModelConfig } from '../model/fields.js';
import { encoderNamed } from '../model/known-encoders.js';
import { type Architecture, Retriever } from '../model/retriever.js';
import { type RetrieverFacts, readRetrieverFacts, type TextFacts } from '../model/retriever-facts.js';
import {
  encoderFolder,
  initialWeights,
  retrieverFiles,
  type StartingWeights,
  weightsToStartFrom,
} from '../model/retriever-files.js';
import { askedBeside } from '../model/sentence-files.js';
import { type LoadedArchitecture, loadArchitecture } from '../plugins.js';
import type { Workplace } from '../stages/graph.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { fetchModel, filesOf } from './named-models.js';

/** A model to start from. */
interface StartingModel {
  /** `scratch`, a folder, or an id on the hub; of a trained checkpoint, what it began with itself. */
  name: string;
  revision: string | null;
  files: DataFile[];
  /** The architecture of the trained checkpoint; absent where it is a published or random model. */
  trainedAs?: string;
  /** What a reader of the figures should know of how it was read. */
  remarks: readonly string[];
}

/** What one training is made of, apart from its examples. */
export interface TrainingSetup {
  model: StartingModel;
  tokenizer: Tokenizer;
  retriever: Retriever;
  /** One array per parameter of the retriever. */
  initial: Float32Array[];
  /** The peak of the schedule, by the model's kind where the configuration leaves it open. */
  learningRate: number;
  text: TextFacts;
  seed: number;
}

interface SetupRequest {
  config: BenchConfig;
  architecture: string;
  seed: number;
  /** Instead of the configuration's. */
  lambda?: number | undefined;
}

/**
 * @param start the model, in a folder
 * @throws BenchError CONFIG_INVALID for options that do not fit the encoder, CHECKPOINT_INVALID for a model that cannot
 *   be used
 */
export async function trainingSetup(request: SetupRequest, start: ModelFolder): Promise<TrainingSetup> {
  const { config } = request;
  const { t5LayerNorm, tied } = config.model;
  const { folder, facts, ...found } = start;
  const inside = facts === undefined ? folder : encoderFolder(folder, facts);
  const loaded = facts === undefined ? await loadEncoder(inside, { t5LayerNorm }) : undefined;
  const beside = facts === undefined ? await askedBeside(folder, config.arch.similarity) : undefined;
  if (beside !== undefined && config.train.epochs === 0) throw asPublished(found.name, beside);
  if (facts !== undefined && config.train.epochs === 0) refuseOtherComparison(folder, facts, config);
  const described = loaded?.encoder ?? (await describeEncoder(inside, { t5LayerNorm }));
  const encoder = makeEncoder(withDropout(described, config.train.dropout), { t5LayerNorm });
  const tokenizer = await encoderTokenizer(inside, encoder);
  const loadedArchitecture = await loadArchitecture(request.architecture);
  const { text, learningRate, resolved } = settle(loadedArchitecture, encoder.shape, config, request.lambda);
  const retriever = new Retriever(encoder, tied, { ...loadedArchitecture, resolved });
  const begun: StartingWeights =
    facts === undefined
      ? { weights: initialWeights(retriever, loaded!.weights), remarks: loaded!.remarks ?? [] }
      : await weightsToStartFrom(folder, facts, retriever);
  return {
    model: { ...found, remarks: [...begun.remarks, ...besideRemark(found.name, beside)] },
    initial: begun.weights,
    ...{ tokenizer, retriever, text, learningRate, seed: request.seed },
  };
}

/**
 * What the settings come to with a model of a shape.
 * @throws BenchError CONFIG_INVALID for options that do not fit the encoder
 */
export function settle(
  loaded: LoadedArchitecture,
  shape: EncoderShape,
  config: BenchConfig,
  lambda?: number,
): Pick<TrainingSetup, 'text' | 'learningRate'> & Pick<Architecture, 'resolved'> {
  const { queryTokens, passageTokens, pairTruncation } = config.text;
  const text: TextFacts = {
    maxQueryTokens: Math.min(queryTokens, shape.maxTokens),
    maxPassageTokens: Math.min(passageTokens, shape.maxTokens),
    pairTruncation,
  };
  const cut = { ...shape, maxTokens: text.maxPassageTokens };
  refuseLongCuts(shape, config);
  const { resolved } = resolveArchitecture(loaded, cut, config, lambda);
  return {
    ...{ text, resolved },
    learningRate: config.train.learningRate ?? encoderNamed(shape.kind).learningRate,
  };
}

/** @throws BenchError CONFIG_INVALID for vectors that are to be cut to a length that they do not have */
export function refuseLongCuts({ dimensions }: EncoderShape, { train }: BenchConfig): void {
  const long = (train.matryoshka ?? []).filter((length) => length >= dimensions);
  if (long.length === 0) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `train.matryoshka: ${long.join(' and ')} cannot be cut from vectors of ${dimensions} numbers.`,
    { hint: `Name lengths below ${dimensions}: the whole vectors always take part.` },
  );
}

/** The same with another lambda; the model is not read again. */
export function withLambda(
  setup: TrainingSetup,
  config: BenchConfig,
  lambda: number | undefined,
): TrainingSetup {
  const { encoder, tied, architecture } = setup.retriever;
  const shape = { ...encoder.shape, maxTokens: setup.text.maxPassageTokens };
  const resolved = resolveArchitecture(architecture, shape, config, lambda);
  return { ...setup, retriever: new Retriever(encoder, tied, resolved) };
}

/** Its figures would be those of no model that anybody has published. */
function asPublished(name: string, beside: string): BenchError {
  return new BenchError(
    'CONFIG_INVALID',
    `${name} was published with ${beside}, which an architecture leaves out, and train.epochs=0 would not train it for that.`,
    { hint: `As it was published: --arch pretrained:${name}. Or train it: --set train.epochs=1 or more.` },
  );
}

/** Searched by products, vectors that were trained for their cosines would give figures of neither. */
function refuseOtherComparison(
  folder: string,
  { resolved }: RetrieverFacts,
  { arch: { similarity } }: BenchConfig,
): void {
  const trained = resolved.similarity ?? 'dot';
  if (trained === similarity) return;
  throw new BenchError(
    'CONFIG_INVALID',
    `The checkpoint ${folder} was trained to be compared by ${trained}, arch.similarity is ${similarity}, and train.epochs=0 would not train it for that.`,
    { hint: `Give --set arch.similarity=${trained}, or train it: --set train.epochs=1 or more.` },
  );
}

const besideRemark = (name: string, beside: string | undefined): string[] =>
  beside === undefined
    ? []
    : [`${name} was published with ${beside}; training begins from its encoder alone`];

/** The dropout of training is the configuration's, whatever the checkpoint was trained with. */
function withDropout({ config, shape }: Encoder, rate: number): ModelConfig {
  const rates = encoderNamed(shape.kind).dropoutRates.map((name) => [name, rate]);
  return { ...config, ...Object.fromEntries(rates) };
}

/** @throws BenchError CONFIG_INVALID for options that do not fit the encoder */
export function resolveArchitecture(
  loaded: LoadedArchitecture,
  shape: EncoderShape,
  { arch }: BenchConfig,
  chosenLambda?: number,
): Architecture {
  const { layers, vectors, maskShort, meanFirst } = arch;
  const lambda = chosenLambda ?? (Array.isArray(arch.lambda) ? arch.lambda[0]! : arch.lambda);
  const options: ArchitectureOptions = {
    maskShort,
    meanFirst,
    ...(layers !== null && { layers }),
    ...(vectors !== null && { vectors }),
    ...(lambda !== null && { lambda }),
  };
  const resolved = loaded.family.resolve(options, shape, loaded.pooling?.shortName);
  return {
    ...loaded,
    resolved: arch.similarity === 'cosine' ? { ...resolved, similarity: 'cosine' as const } : resolved,
  };
}

/**
 * What an architecture stores of a passage, and its lambda.
 * @returns D; vectors per passage, or the most that one of maxTokens has @throws BenchError as `resolveArchitecture`
 */
export function storedOf(loaded: LoadedArchitecture, shape: EncoderShape, config: BenchConfig) {
  const { vectors, lambda } = resolveArchitecture(loaded, shape, config).resolved;
  const { dimensions, maxTokens } = shape;
  const atMost = loaded.pooling === undefined && vectors === 'varies';
  const perPassage = loaded.pooling !== undefined ? 1 : vectors === 'varies' ? maxTokens : vectors;
  return { dimensions, perPassage, atMost, lambda };
}

/** A model to start from, where its files lie. */
export interface ModelFolder extends Omit<StartingModel, 'remarks'> {
  /** In Hugging Face's layout, or a trained checkpoint. */
  folder: string;
  /** Present where it is a trained checkpoint. */
  facts?: RetrieverFacts;
}

export async function trainedModel(folder: string): Promise<ModelFolder & { facts: RetrieverFacts }> {
  const facts = await readRetrieverFacts(folder);
  const files = await retrieverFiles(folder, facts);
  const { model: name, architecture: trainedAs } = facts;
  return { name, revision: null, files, trainedAs, folder, facts };
}

/** A model by name, fetched where it is not here. */
export async function namedModel(
  name: string,
  { config, offline, progress }: Pick<Workplace, 'config' | 'offline' | 'progress'>,
): Promise<ModelFolder> {
  const { folder, revision } = await fetchModel(name, { config, offline }, progress);
  return { name, folder, revision: revision ?? null, files: await filesOf(folder) };
}
