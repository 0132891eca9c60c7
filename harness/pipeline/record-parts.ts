/** The parts of a run record, each from what one stage found out. */

import path from 'node:path';
import type { DataFile, Dataset, Split } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { indexSize, projectedVectorsBytes, wikipediaPassages } from '../index/size.js';
import type { VectorIndex } from '../index/vector-index.js';
import type { Encoder } from '../model/encoder.js';
import type { VectorModel } from '../model/vector-encoder.js';
import type {
  DatasetFacts,
  Findings,
  IndexFacts,
  RunRecord,
  SplitCounts,
  StageFacts,
  TrainingFacts,
  TrainingStageFacts,
} from '../record.js';
import type { SearcherIdentity } from '../search/search.js';
import { keyOf } from '../store/hash.js';
import type { Engine } from '../tensor/engine.js';
import type { Tokenizer } from '../text/tokenizer.js';
import { tokenizerFiles } from '../text/tokenizer-folder.js';
import { type BuiltIndex, builtFacts } from './built-index.js';
import { parameterCountOf } from './open-model.js';
import type { TrainedStage } from './training.js';

export async function datasetFacts(dataset: Dataset, split: Split): Promise<DatasetFacts> {
  const counts: Record<string, SplitCounts> = {};
  for (const each of ['train', 'dev', 'test'] as const) {
    const [queries, qrels] = [await dataset.queries(each), await dataset.qrels(each)];
    const positives = await relevantPassages(dataset, each);
    const withPositive = queries.filter(({ queryId }) => positives.has(queryId)).length;
    counts[each] = { queries: queries.length, qrels: qrels.length, withPositive };
  }
  const { name, version, licence, files, passageCount, answerMatching, tieRule, grown } = dataset;
  return {
    name,
    version,
    licence,
    files,
    passageCount,
    split,
    counts,
    ...(answerMatching && { answerMatching }),
    ...(tieRule && { tieRule }),
    ...(grown && { distractors: grown.facts }),
  };
}

/** What vectors were computed on, and what searched them; null where nothing did. */
export function deviceFacts(
  { name, device, threads, versions }: Pick<Engine, 'name' | 'device' | 'threads' | 'versions'>,
  searcher: SearcherIdentity | null,
): Findings['device'] {
  return {
    ...{ engine: name, device, searcher: searcher?.name ?? null, threads },
    versions: { ...versions, ...searcher?.versions },
  };
}

export function archFacts({ setup: { retriever } }: TrainedStage): RunRecord['arch'] {
  const { name, familyName, pooling, resolved } = retriever.architecture;
  const { layers, vectors, lambda, maskShort, meanFirst, similarity } = resolved;
  const hasMean = retriever.encoder.shape.summary === 'mean';
  return {
    name,
    family: familyName,
    pooling: pooling?.shortName ?? null,
    layers,
    vectors,
    lambda,
    ...(maskShort !== undefined && { maskShort }),
    ...(hasMean && meanFirst !== undefined && { meanFirst }),
    ...(similarity && { similarity }),
  };
}

/** @param retriever what computes its vectors @param tied whether queries and passages share one encoder */
export function modelFacts(
  { name, revision, files }: Pick<NonNullable<RunRecord['model']>, 'name' | 'revision' | 'files'>,
  retriever: Pick<VectorModel, 'dimensions' | 'parameters'> & { encoder: Encoder },
  tied: boolean,
  tokenizer: Pick<Tokenizer, 'sha256'>,
): NonNullable<RunRecord['model']> {
  const { shape, vocabularySize } = retriever.encoder;
  const { kind, layers, maxTokens } = shape;
  return {
    name,
    kind,
    shape: {
      layers,
      dimensions: retriever.dimensions,
      // Where positions are relative, any length is taken: there is no number to write.
      ...(Number.isFinite(maxTokens) && { maxTokens }),
      vocabularySize,
    },
    parameterCount: parameterCountOf(retriever),
    tied,
    revision,
    files,
    tokenizer: tokenizer.sha256,
  };
}

/** What a model takes on the disk. @param files all that encoding reads: of both encoders, where they are two */
export function modelBytes(
  files: readonly Pick<DataFile, 'name' | 'sizeBytes'>[],
): NonNullable<NonNullable<RunRecord['model']>['sizeBytes']> {
  const isTokenizer = ({ name }: Pick<DataFile, 'name'>) =>
    tokenizerFiles.some((each) => each === path.posix.basename(name));
  const sum = (some: readonly Pick<DataFile, 'sizeBytes'>[]) =>
    some.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return {
    model: sum(files.filter((file) => !isTokenizer(file))),
    tokenizer: sum(files.filter(isTokenizer)),
  };
}

/** The model that the first training began with. */
export function trainedModelFacts({ setup, first }: TrainedStage): NonNullable<RunRecord['model']> {
  const { model, tokenizer } = first?.setup ?? setup;
  return modelFacts(model, setup.retriever, setup.retriever.tied, tokenizer);
}

export function trainingFacts(trained: TrainedStage, stages: readonly StageFacts[]): TrainingFacts {
  const { checkpoint, setup, negatives, teacher, lambdaSearch, first, mined } = trained;
  const { train, dev, poolingWeights } = checkpoint.facts;
  const { model } = setup;
  const tried = lambdaSearch ?? first?.lambdaSearch;
  return {
    ...stageFacts(trained, stages, 'train'),
    ...(first && { firstStage: stageFacts(first, stages, 'train, stage 1') }),
    ...(model.trainedAs !== undefined && {
      init: { architecture: model.trainedAs, key: keyOf(model.files) },
    }),
    negatives: negatives.described,
    ...(teacher && { teacher }),
    ...(mined && { mined: { ...mined } }),
    examples: { train: { ...train }, dev: { ...dev } },
    ...(tried && { lambdaSearch: tried }),
    ...(poolingWeights && { poolingWeights }),
  };
}

function stageFacts(
  { checkpoint: { facts } }: TrainedStage,
  stages: readonly StageFacts[],
  name: string,
): TrainingStageFacts {
  const { epochs, keptEpoch, stepsPerSecond, javascriptShare } = facts.training;
  const { precision, skippedSteps, lossScale } = facts.training;
  const stage = stages.find((each) => each.name === name)?.execution;
  const took = stage?.made?.took;
  // What is kept with the checkpoint, so that a run that finds it made says the same; of a training that went on, its epochs with
  // what dev took.
  const inOneGo = took === undefined && stage?.cached === false ? stage.seconds : took?.seconds;
  return {
    epochs: epochs.map(({ epoch, steps, loss, dev, seconds }) => ({
      epoch,
      steps,
      loss,
      dev: {
        ...(dev && { crossEntropy: dev.crossEntropy }),
        ...(dev?.averageRank !== undefined && { averageRank: dev.averageRank }),
      },
      execution: { seconds },
    })),
    bestEpoch: epochs.length === 0 ? null : keptEpoch,
    ...(precision !== undefined && { precision, skippedSteps: skippedSteps!, lossScale: lossScale! }),
    execution: {
      seconds: inOneGo ?? epochs.reduce((sum, { seconds, devSeconds = 0 }) => sum + seconds + devSeconds, 0),
      stepsPerSecond,
      javascriptShare,
    },
  };
}

export async function indexFacts(opened: {
  index: VectorIndex;
  built?: BuiltIndex;
  searcher: SearcherIdentity;
}): Promise<IndexFacts> {
  const { index, built, searcher } = opened;
  const size = await indexSize(index.folder);
  const flat: IndexFacts = {
    kind: 'Flat',
    vectorsPerPassage: index.vectors / index.passages,
    rows: index.vectors,
    dimensions: index.dimensions,
    shards: index.shards.length,
    sizeBytes: {
      vectors: size.vectorsBytes,
      identifiers: size.identifiersBytes,
      offsets: size.offsetsBytes,
      total: size.totalBytes,
    },
    projectedBytes: projectedVectorsBytes(index),
    projectedPassages: wikipediaPassages,
  };
  return built === undefined ? flat : builtFacts(built, index, flat, searcher);
}
