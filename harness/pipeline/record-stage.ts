/** Puts together the record of a run from what its stages found out. */
import path from 'node:path';
import type { Dataset, Split } from '../contracts.js';
import { indexSize, projectedVectorsBytes, wikipediaPassages } from '../index/size.js';
import type { VectorIndex } from '../index/vector-index.js';
import { writeRun } from '../interchange/trec.js';
import type { RunRequest } from '../pipeline.js';
import {
  type DatasetFacts,
  describeMachine,
  type LatencyFacts,
  type RunRecord,
  recordSchemaVersion,
  recordSuffix,
  runSuffix,
  type StageFacts,
  type TrainingFacts,
  writeRecord,
} from '../record.js';
import { keyOf } from '../store/hash.js';
import { sizeOf } from '../tensor/engine.js';
import type { TrainingFacts as Trained } from '../train/trainer.js';
import type { Measured } from './measure-stage.js';
import { datasetIdentity, type Prepared } from './prepare.js';
import type { Searching } from './search-stage.js';

export interface RecordParts {
  prepared: Prepared;
  searching: Searching;
  trained: Trained;
  measured: Measured;
  latency: LatencyFacts | undefined;
  stages: readonly StageFacts[];
  split: Split;
  warnings: readonly string[];
}

export async function recordStage(parts: RecordParts): Promise<{ record: RunRecord; file: string }> {
  const { prepared, searching, trained, measured, latency, stages, split } = parts;
  const { request, retriever, dataset, model } = prepared;
  const { config, seed } = request;
  const { engine, searcher } = searching;
  const { benchVersion, git, machine } = await describeMachine();
  const stem = path.join(config.out, stemOf(request, dataset));
  const runFile = await writeRun(`${stem}${runSuffix}`, measured.run, request.architecture);
  const { architecture } = retriever;
  const { layers, vectors, lambda, maskShort } = architecture.resolved;
  const { kind, layers: depth, dimensions, maxTokens } = retriever.encoder.shape;
  const record: RunRecord = {
    schemaVersion: recordSchemaVersion,
    benchVersion,
    createdAt: new Date().toISOString(),
    command: process.argv.slice(2),
    status: 'ok',
    seed,
    preset: config.preset,
    config,
    arch: {
      name: request.architecture,
      family: architecture.familyName,
      pooling: architecture.pooling?.shortName ?? null,
      layers,
      vectors,
      lambda,
      ...(maskShort !== undefined && { maskShort }),
    },
    dataset: await datasetFacts(dataset, split),
    model: {
      name: model.name,
      kind,
      shape: {
        layers: depth,
        dimensions,
        // T5 takes any length: there is no number to write.
        ...(Number.isFinite(maxTokens) && { maxTokens }),
        vocabularySize: retriever.encoder.vocabularySize,
      },
      parameterCount: retriever.parameters.reduce((sum, parameter) => sum + sizeOf(parameter.shape), 0),
      tied: retriever.tied,
      revision: model.revision,
      files: model.files,
    },
    device: {
      engine: engine.name,
      device: engine.device,
      searcher: searcher.name,
      threads: engine.threads,
      versions: { ...engine.versions, ...searcher.versions },
      git,
      machine,
    },
    stages,
    training: trainingFacts(trained, stages),
    index: await indexFacts(searching.index),
    queryIds: measured.evaluation.queryIds,
    measures: measureValues(measured),
    run: { ...runFile, depth: config.search.depth },
    ...(latency && { latency }),
    warnings: parts.warnings,
  };
  const file = `${stem}${recordSuffix}`;
  await writeRecord(file, record);
  return { record, file };
}

export function measureValues({ evaluation }: Measured): RunRecord['measures'] {
  return Object.fromEntries(
    [...evaluation.measures].map(([id, { measure, mean, perQuery }]) => [
      id,
      {
        mean,
        higherIsBetter: measure.higherIsBetter,
        description: measure.description,
        perQuery: Array.from(perQuery),
      },
    ]),
  );
}

/** `squad-mlr-sc-12345-1f2e3d4c`: runs of other settings, which the last part tells apart, do not overwrite each other. */
export function stemOf({ architecture, dataset: name, seed, config }: RunRequest, dataset: Dataset): string {
  const { cache: _, out: __, keep: ___, seeds: ____, check: _____, ...deciding } = config;
  const settings = keyOf({ deciding, dataset: datasetIdentity(dataset) }).slice(0, 8);
  return `${name.replaceAll('/', '-')}-${architecture}-${seed}-${settings}`;
}

export async function datasetFacts(dataset: Dataset, split: Split): Promise<DatasetFacts> {
  const counts: Record<string, { queries: number; qrels: number }> = {};
  for (const each of ['train', 'dev', 'test'] as const) {
    const [queries, qrels] = [await dataset.queries(each), await dataset.qrels(each)];
    counts[each] = { queries: queries.length, qrels: qrels.length };
  }
  const { name, version, licence, files, passageCount, answerMatching } = dataset;
  return {
    name,
    version,
    licence,
    files,
    passageCount,
    split,
    counts,
    ...(answerMatching && { answerMatching }),
  };
}

function trainingFacts(trained: Trained, stages: readonly StageFacts[]): TrainingFacts {
  const seconds = trained.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const { stepsPerSecond, javascriptShare } = trained;
  const stage = stages.find(({ name }) => name === 'train');
  return {
    epochs: trained.epochs.map(({ epoch, steps, loss, dev, seconds: took }) => ({
      epoch,
      steps,
      loss,
      dev: {
        ...(dev && { crossEntropy: dev.crossEntropy }),
        ...(dev?.averageRank !== undefined && { averageRank: dev.averageRank }),
      },
      execution: { seconds: took },
    })),
    bestEpoch: trained.keptEpoch,
    execution: {
      seconds: stage?.execution.cached === false ? stage.execution.seconds : seconds,
      stepsPerSecond,
      javascriptShare,
    },
  };
}

async function indexFacts(index: VectorIndex): Promise<NonNullable<RunRecord['index']>> {
  const size = await indexSize(index.folder);
  return {
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
}
