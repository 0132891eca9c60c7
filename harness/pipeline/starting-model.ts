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
import { scratchKind } from '../model/scratch.js';
import { askedBeside } from '../model/sentence-files.js';
import { type LoadedArchitecture, loadArchitecture } from '../plugins.js';
import type { Progress } from '../progress.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { noteUnchecked } from './checkpoint.js';
import { fetchModel, filesOf } from './named-models.js';
import type { Prepared } from './prepare.js';
import { scratchMaxTokens, scratchModel } from './scratch-model.js';

/** A model to start from. */
export interface StartingModel {
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

export interface SetupRequest {
  architecture: string;
  seed: number;
  /** Folder of a trained checkpoint to start from, instead of the configuration's model. */
  init?: string;
  /** Instead of the configuration's. */
  lambda?: number;
}

/**
 * @throws BenchError CONFIG_INVALID for options that do not fit the encoder, CHECKPOINT_INVALID for a model that cannot
 *   be used
 */
export async function trainingSetup(
  prepared: Prepared,
  request: SetupRequest,
  progress: Progress,
): Promise<TrainingSetup> {
  const { config } = prepared;
  const { t5LayerNorm, tied } = config.model;
  const trained = request.init === undefined ? undefined : await trainedModel(request.init, progress);
  const { folder, ...found } = trained?.model ?? (await namedModel(prepared, request.seed, progress));
  const loaded = trained === undefined ? await loadEncoder(folder, { t5LayerNorm }) : undefined;
  const beside = trained === undefined ? await askedBeside(folder) : undefined;
  if (beside !== undefined && config.train.epochs === 0) throw asPublished(found.name, beside);
  const described = loaded?.encoder ?? (await describeEncoder(folder, { t5LayerNorm }));
  const encoder = makeEncoder(withDropout(described, config.train.dropout), { t5LayerNorm });
  const tokenizer = await encoderTokenizer(folder, encoder);
  const { shape } = encoder;
  const { queryTokens, passageTokens, pairTruncation } = config.text;
  const text: TextFacts = {
    maxQueryTokens: Math.min(queryTokens, shape.maxTokens),
    maxPassageTokens: Math.min(passageTokens, shape.maxTokens),
    pairTruncation,
  };
  const architecture = resolveArchitecture(
    await loadArchitecture(request.architecture),
    { ...shape, maxTokens: text.maxPassageTokens },
    config,
    request.lambda,
  );
  const retriever = new Retriever(encoder, tied, architecture);
  const start: StartingWeights =
    trained === undefined
      ? { weights: initialWeights(retriever, loaded!.weights), remarks: loaded!.remarks ?? [] }
      : await weightsToStartFrom(request.init!, trained.facts, retriever);
  return {
    model: { ...found, remarks: [...start.remarks, ...besideRemark(found.name, beside)] },
    tokenizer,
    retriever,
    initial: start.weights,
    learningRate: config.train.learningRate ?? encoderNamed(shape.kind).learningRate,
    text,
    seed: request.seed,
  };
}

/** The same with another lambda; the model is not read again. */
export function withLambda(setup: TrainingSetup, config: BenchConfig, lambda: number): TrainingSetup {
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

const besideRemark = (name: string, beside: string | undefined): string[] =>
  beside === undefined
    ? []
    : [`${name} was published with ${beside}; training begins from its encoder alone`];

/** The dropout of training is the configuration's, whatever the checkpoint was trained with. */
function withDropout({ config, shape }: Encoder, rate: number): ModelConfig {
  const rates = encoderNamed(shape.kind).dropoutRates.map((name) => [name, rate]);
  return { ...config, ...Object.fromEntries(rates) };
}

/** What a model with random weights is like, before there is one. */
export function scratchShape({ model: { scratch }, text }: BenchConfig): EncoderShape {
  const { layers, dimensions } = scratch;
  return { ...scratchKind, layers, dimensions, maxTokens: Math.min(text.passageTokens, scratchMaxTokens) };
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
  return { ...loaded, resolved };
}

interface ModelFolder extends Omit<StartingModel, 'remarks'> {
  /** In Hugging Face's layout. */
  folder: string;
}

async function trainedModel(
  init: string,
  progress: Progress,
): Promise<{ facts: RetrieverFacts; model: ModelFolder }> {
  await noteUnchecked(init, progress);
  const facts = await readRetrieverFacts(init);
  const files = await retrieverFiles(init, facts);
  const { model: name, architecture: trainedAs } = facts;
  return { facts, model: { name, revision: null, files, trainedAs, folder: encoderFolder(init, facts) } };
}

async function namedModel(
  { config, dataset, offline, store }: Prepared,
  seed: number,
  progress: Progress,
): Promise<ModelFolder> {
  const { name } = config.model;
  if (name === 'scratch') {
    const folder = await scratchModel(dataset, { store, config }, seed);
    return { name, folder, revision: null, files: await filesOf(folder) };
  }
  const { folder, revision } = await fetchModel(name, { config, offline }, progress);
  return { name, folder, revision: revision ?? null, files: await filesOf(folder) };
}
