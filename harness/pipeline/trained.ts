/** A trained architecture as a system: train -> checkpoint, then as every system of vectors, see `dense.ts`. */

import type { BenchConfig } from '../config/config.js';
import type { DataFile } from '../contracts.js';
import { counted } from '../counted.js';
import { retrieverFiles } from '../model/retriever-files.js';
import { type Known, knownOf } from '../stages/known.js';
import { askedOf, modelStages, ofVectors, type SystemStages } from '../stages/systems.js';
import { secondStage, trainingStages } from '../stages/training.js';
import { keyOf } from '../store/hash.js';
import { describeFile } from '../store/hash-once.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import { openCheckpoint } from './checkpoint.js';
import { answerDense, onEngine, type UsedVectors } from './dense.js';
import { scoreDense } from './dense-scoring.js';
import { indexBuilder } from './index-builder.js';
import { filesOf, localModel } from './named-models.js';
import { openingsOf } from './open-dense.js';
import { modelQueries, modelSource } from './query-encoder.js';
import { archFacts, modelBytes, trainedModelFacts, trainingFacts } from './record-parts.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, AnswerRequest, Means, ScoringSystem, SystemPlan } from './system.js';
import { type TrainedStage, trainAll, trainingRemarks } from './training.js';
import { inPrecision, planOfVectors } from './vectors-plan.js';

export { trainedTimes as times } from './estimate/trained-times.js';
export { requirements } from './trained-requirements.js';

export async function plan(request: RunRequest, means: Means): Promise<SystemPlan> {
  const { seed, config, negatives } = request;
  const { train, model, encode } = config;
  return planOfVectors(request, means, [
    `model     ${originText(request)}; ${model.tied ? 'one encoder for queries and passages' : 'an encoder each for queries and passages'}`,
    `train     ${counted(train.epochs, 'epochs')}${inPrecision(train)}, ${counted(train.batchSize, 'queries')} per batch, seed ${seed}, ${chunkText(train.chunkSize)}`,
    ...(negatives === undefined ? [] : [`negatives ${negatives.join(', ')}`]),
    ...(config.stages === 1 ? [] : [`again     ${secondStagePlan(config)}`]),
    `encode    every passage${inPrecision(encode)}, ${counted(config.text.passageTokens, 'tokens')} at most, shards of ${counted(encode.shardPassages, 'passages')}`,
  ]);
}

function chunkText(chunkSize: BenchConfig['train']['chunkSize']): string {
  if (chunkSize === null) return 'no gradient cache';
  return `gradient cache of ${chunkSize === 'fitting' ? 'as many texts as fit' : `${counted(chunkSize, 'texts')}`}`;
}

function originText({ init, config: { model } }: RunRequest): string {
  const { scratch, name } = model;
  if (init !== undefined) return `the trained checkpoint ${init}, which began with ${name}`;
  if (name !== 'scratch') return name;
  return `a BERT with random weights, ${counted(scratch.layers, 'layers')}, D=${scratch.dimensions}, vocabulary of ${scratch.vocabularySize} from the collection`;
}

/** The second training, as `stage2.*` has it. */
function secondStagePlan(config: BenchConfig): string {
  const { init, negatives, examples, depth } = config.stage2;
  const { epochs, negativePool } = secondStage(config).train;
  const from = init === 'first' ? 'from the weights of the first training' : 'from the model again';
  const found = `mined with the first training's weights (${counted(depth, 'hits')})`;
  const [original, mined] =
    examples === 'concatenated'
      ? ['the examples of the first training and, behind them,', `examples ${found}`]
      : ['the negatives of the first training and', `negatives ${found}`];
  const on = negatives === 'both' ? `${original} ${mined}` : `${mined} alone`;
  return `${counted(epochs, 'epochs')} ${from}, on ${on}; a pool of ${negativePool} each`;
}

export async function stages(request: RunRequest, known: Known): Promise<SystemStages> {
  const { model } = await trainingStages(request, known.parts?.whole ?? known);
  return ofVectors(modelStages(model, request, known, askedOf(request, known)));
}

export const answer = (asking: AnswerRequest): Promise<AnsweredSystem> => trainedAs(asking, answerDense);
export const score = (asking: AnswerRequest): Promise<ScoringSystem> => trainedAs(asking, scoreDense);

export const { open, openScoring, loadCode } = openingsOf(async ({ folder }, { engine, config }) =>
  modelQueries(await openCheckpoint(folder!), engine, config.encode),
);

/** @param use what is done with the model, once it is trained */
function trainedAs<T extends UsedVectors>(
  asking: AnswerRequest,
  use: (...given: Parameters<typeof answerDense>) => Promise<T>,
) {
  const { request, log } = asking;
  return onEngine(asking, async (bench) => {
    const known = await knownOf(bench, await indexBuilder(request.config));
    const trainings = await trainingStages(request, known.parts?.whole ?? known);
    const trained = await trainAll(bench.of('whole'), trainings);
    const training = trainingFacts(trained, log.stages);
    const stages = modelStages(trainings.model, request, known, asking);
    const { folder } = trained.checkpoint;
    const source = modelSource(bench, stages.model, { folder });
    const dense = await use(asking, bench, stages, source);
    const device = { ...dense.facts.device, ...otherPrecision(request.config.encode.precision) };
    return {
      ...dense,
      facts: {
        ...dense.facts,
        ...{ device, arch: archFacts(trained), training },
        model: {
          ...trainedModelFacts(trained),
          sizeBytes: modelBytes(await retrieverFiles(folder, trained.setup.retriever)),
        },
      },
      given: givenOf(trained),
      remarks: trainingRemarks(trained),
      searchable: [trainings.checkpoint, ...dense.searchable],
    };
  });
}

/** A model or a checkpoint that training began with, a teacher's scores, and negatives named for it. */
function givenOf(trained: TrainedStage): AnsweredSystem['given'] {
  const { setup, negatives, teacher } = trained.first ?? trained;
  const { name, files, trainedAs } = setup.model;
  return {
    ...(trainedAs !== undefined ? { init: files } : name !== 'scratch' && modelGiven(files)),
    ...(teacher && teacherGiven(teacher)),
    ...(negatives.named && { negatives: negatives.identity }),
  };
}

const modelGiven = (files: readonly DataFile[]) => ({ model: keyOf(files) });
const teacherGiven = ({ sha256 }: DataFile) => ({ teacher: sha256 });

/** Without a checkpoint and negatives; nor is a model known that is still to be fetched. */
export async function given(request: RunRequest): Promise<AnsweredSystem['given']> {
  const { model, train } = request.config;
  const folder = model.name === 'scratch' ? undefined : await localModel(model.name, request);
  const { scores } = train.teacher;
  return {
    ...(folder !== undefined && modelGiven(await filesOf(folder))),
    ...(scores !== null && teacherGiven(await describeFile(scores))),
  };
}
