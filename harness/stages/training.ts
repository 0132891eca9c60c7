/** The stages from a model to the checkpoint that is searched: a training for each lambda, and a second with mined examples. */
import { type BenchConfig, secondTraining } from '../config/config.js';
import type { DataFile, EncoderShape } from '../contracts.js';
import { describeEncoder } from '../model/checkpoint.js';
import { readRetrieverFacts } from '../model/retriever-facts.js';
import { encoderFolder, retrieverFiles } from '../model/retriever-files.js';
import { noteUnchecked, openCheckpoint } from '../pipeline/checkpoint.js';
import { fetchModel, filesOf } from '../pipeline/named-models.js';
import {
  type ChosenNegatives,
  chooseNegatives,
  type MinedSource,
  usualSource,
} from '../pipeline/negative-sources.js';
import { identicalIdsOf } from '../pipeline/own-passages.js';
import type { RunRequest } from '../pipeline/run-request.js';
import { marginsOf } from '../pipeline/score-margins.js';
import {
  type ModelFolder,
  namedModel,
  settle,
  type TrainingSetup,
  trainedModel,
  trainingSetup,
  withLambda,
} from '../pipeline/starting-model.js';
import { chooseTeacher } from '../pipeline/teacher.js';
import { hasWinners } from '../pipeline/winners.js';
import { loadArchitecture } from '../plugins.js';
import { keyOf } from '../store/hash.js';
import { usualPrecision } from '../tensor/onnx/precision.js';
import { encode, type ShardFacts } from './encode.js';
import { given } from './given.js';
import type { Choice, ModelNeed, Need, Stage, Workplace } from './graph.js';
import type { Known } from './known.js';
import { type MinedFacts, mine } from './mine.js';
import { queries } from './queries.js';
import { scratchModel, scratchShape } from './scratch-model.js';
import { search } from './search.js';
import { type CheckpointFacts, train } from './train.js';

/** A model that a training begins with. */
interface Start {
  need: Need;
  /** As a checkpoint names it: `scratch`, a folder, an id on the hub. */
  origin: string;
  /** The architecture of a trained checkpoint. */
  trainedAs?: string;
  /** Absent where the model is not looked at yet. */
  shape?: EncoderShape;
  open(at: Workplace): Promise<ModelFolder>;
}

/** One training, or one for each value of a list of lambda, of which the best on dev is taken. */
export interface Trainings {
  readonly config: BenchConfig;
  readonly tried: readonly { readonly lambda?: number; readonly stage: Stage<CheckpointFacts> }[];
  readonly checkpoint: Choice<CheckpointFacts>;
  /** The checkpoint as what has vectors. */
  readonly model: ModelNeed;
  readonly negatives: ChosenNegatives;
  /** The file of a teacher's scores. */
  readonly teacher?: DataFile;
  /** Reads the model that it begins with. */
  setup(at: Workplace): Promise<TrainingSetup>;
  /** The training before, and what was mined with it. */
  readonly first?: Trainings & { readonly shards: Stage<ShardFacts>; readonly mined: Stage<MinedFacts> };
}

/**
 * What a request trains, and nothing is trained yet.
 * @throws BenchError CONFIG_INVALID for options that do not fit the model, CHECKPOINT_INVALID, PATH_INVALID
 */
export async function trainingStages(request: RunRequest, known: Known): Promise<Trainings> {
  const { config, architecture } = request;
  const start = await startOf(request, known);
  const { negatives: names } = request;
  if (config.stages === 1) return trainings(request, config, known, start, names);
  const first = await trainings(request, config, known, start, names, ', stage 1');
  const { model } = first;
  // Float32: two runs that differ in how they encode have one training.
  const mining = { ...config, encode: { ...config.encode, precision: usualPrecision } };
  const shards = encode(model, mining, known);
  const asked = { split: 'train', depth: config.stage2.depth } as const;
  const encoded = queries(model, 'train', mining, known);
  const run = search({ system: model.name, queries: encoded, shards }, asked, config, known);
  const identicalIds = identicalIdsOf(config, known.dataset);
  const mined = mine(
    run,
    { queries: encoded, shards },
    { split: 'train', identicalIds, negatives: null, margins: marginsOf(config) },
    known,
  );
  const { init, negatives } = config.stage2;
  const begun: Start = {
    need: first.checkpoint,
    origin: start.origin,
    trainedAs: architecture,
    ...(start.shape && { shape: start.shape }),
    open: async (at) => trainedModel(await at.folderOf(first.checkpoint)),
  };
  // Named even where nothing is drawn from it: it stands for the original examples.
  const original = negatives === 'both' ? (names ?? [usualSource(known.dataset)]) : [];
  const second = await trainings(
    request,
    secondStage(config),
    known,
    init === 'first' ? begun : start,
    [...original, { stage: mined }],
    '',
    () => lambdaOf(first),
  );
  return { ...second, first: { ...first, shards, mined } };
}

/** What the second stage does otherwise; what `stage2.*` leaves open follows from the first. */
export function secondStage(config: BenchConfig): BenchConfig {
  // Lambda was chosen in the first stage, where there was a choice.
  return { ...config, arch: { ...config.arch, lambda: null }, train: secondTraining(config) };
}

/** @param lambda that was found before; a list that it is not found from yet */
async function trainings(
  { architecture, seed, init }: RunRequest,
  asked: BenchConfig,
  known: Known,
  start: Start,
  names: readonly (string | MinedSource)[] | undefined,
  suffix = '',
  lambda: () => number | readonly number[] | undefined = () => undefined,
): Promise<Trainings> {
  // A checkpoint that is taken as it is learns of no negatives: none are looked for.
  const isTakenAsItIs = init !== undefined && names === undefined && asked.train.epochs === 0;
  const config = isTakenAsItIs ? { ...asked, train: { ...asked.train, negatives: 0 } } : asked;
  const loaded = await loadArchitecture(architecture);
  const negatives = await chooseNegatives(config, known, names);
  const teacher = await chooseTeacher(config.train, known);
  const { shape, open, need: model, origin, trainedAs } = start;
  const settled = (own: number | undefined) => {
    const found = lambda();
    const chosen = own ?? (typeof found === 'number' ? found : undefined);
    if (shape !== undefined && typeof found !== 'object') return settle(loaded, shape, config, chosen);
    const { text, train, arch } = config;
    return {
      text,
      learningRate: train.learningRate,
      arch: { ...arch, lambda: chosen ?? found ?? arch.lambda },
    };
  };
  // It is kept: another lambda begins with the same weights, and the record tells of the model.
  let read: Promise<TrainingSetup> | undefined;
  const setupWith = (own: number | undefined) => (at: Workplace) => {
    const chosen = own ?? lambda();
    if (typeof chosen === 'object') throw new TypeError('lambda is not chosen yet');
    read ??= open(at).then((found) => trainingSetup({ config, architecture, seed, lambda: chosen }, found));
    return read.then((setup) => withLambda(setup, config, chosen));
  };
  const resolved = shape && settle(loaded, shape, config).resolved;
  const winners = resolved === undefined ? loaded.pooling === undefined : hasWinners({ ...loaded, resolved });
  const values = triedOf(config, resolved?.lambda);
  const code = { architecture: loaded, encoder: shape?.kind };
  const tried = values.map((value) => ({
    ...(value !== undefined && { lambda: value }),
    stage: train(
      {
        ...{ config, seed, architecture, code, model, origin, trainedAs, negatives, teacher },
        name: `train${value === undefined ? '' : `, lambda ${value}`}${suffix}`,
        settled: () => settled(value),
        setup: setupWith(value),
      },
      known,
    ),
  }));
  const among = tried.map(({ stage }) => stage);
  const checkpoint: Choice<CheckpointFacts> = { among, ...(among.length === 1 && { chosen: among[0]! }) };
  return {
    ...{ config, tried, checkpoint, negatives },
    ...(teacher?.file && { teacher: teacher.file }),
    model: {
      ...{ name: architecture, need: checkpoint, code, hasWinners: winners },
      open: async (at) => openCheckpoint(await at.folderOf(checkpoint)),
    },
    setup: (at) => setupWith(tried.find(({ stage }) => stage === checkpoint.chosen)?.lambda)(at),
  };
}

/** @param usual lambda of the architecture; undefined where it is not known */
function triedOf({ arch }: BenchConfig, usual: number | undefined): readonly (number | undefined)[] {
  const values = Array.isArray(arch.lambda) ? arch.lambda : [];
  const playsNoPart = usual === 0 && values[0] !== 0;
  return values.length < 2 || playsNoPart ? [undefined] : values;
}

/** The value that was chosen of a list; the list where none is chosen yet. */
function lambdaOf({ tried, checkpoint, config }: Trainings): number | readonly number[] | undefined {
  const { lambda } = config.arch;
  if (tried.length === 1) return Array.isArray(lambda) ? lambda[0] : (lambda ?? undefined);
  const found = tried.find(({ stage }) => stage === checkpoint.chosen);
  return found?.lambda ?? tried.map(({ lambda }) => lambda!);
}

async function startOf({ init, seed, config, offline }: RunRequest, known: Known): Promise<Start> {
  const { name, t5LayerNorm } = config.model;
  const { told, shape: assumed } = known;
  const shapeIn = async (folder: string) => (await describeEncoder(folder, { t5LayerNorm })).shape;
  if (init !== undefined) {
    const open = () => trainedModel(init);
    if (told === undefined)
      return { need: { folder: init, key: init }, origin: init, open, ...(assumed && { shape: assumed }) };
    await noteUnchecked(init, told);
    const facts = await readRetrieverFacts(init);
    const need = await given(init, async () => keyOf(await retrieverFiles(init, facts)));
    const shape = await shapeIn(encoderFolder(init, facts));
    return { need, origin: facts.model, trainedAs: facts.architecture, shape, open };
  }
  if (name === 'scratch') {
    const need = scratchModel(config, seed, known);
    const shape = scratchShape(config);
    const open = async (at: Workplace): Promise<ModelFolder> => {
      const folder = await at.folderOf(need);
      return { name, folder, revision: null, files: await filesOf(folder) };
    };
    return { need, origin: name, shape, open };
  }
  const open = (at: Workplace) => namedModel(name, at);
  if (told === undefined)
    return { need: { folder: name, key: name }, origin: name, open, ...(assumed && { shape: assumed }) };
  const { folder } = await fetchModel(name, { config, offline }, told);
  const need = { folder, key: keyOf(await filesOf(folder)) };
  return { need, origin: name, shape: await shapeIn(folder), open };
}
