/** Puts together the record of a run from what its stages found out, all but the latencies, and writes its hits. */
import path from 'node:path';
import { type BenchConfig, presetText } from '../config/config.js';
import type { Dataset, Split } from '../contracts.js';
import { writeRun } from '../interchange/trec.js';
import { measureValues } from '../metrics/measure-values.js';
import type { RunRequest } from '../pipeline.js';
import {
  type CurveFacts,
  newRecord,
  type RunRecord,
  recordSuffix,
  runSuffix,
  type StageFacts,
  type WinnerFacts,
} from '../record.js';
import { keyOf } from '../store/hash.js';
import { datasetIdentity } from './identity.js';
import type { Measured } from './measure-stage.js';
import { archFacts, datasetFacts, indexFacts, modelFacts, trainingFacts } from './record-parts.js';
import type { Searching } from './search-stage.js';
import type { TrainedStage } from './training.js';

export { datasetFacts } from './record-parts.js';

export interface RecordParts {
  request: RunRequest;
  dataset: Dataset;
  searching: Searching;
  trained: TrainedStage;
  measured: Measured;
  winners: WinnerFacts | undefined;
  /** Of an index that is not exact. */
  curve?: CurveFacts;
  stages: readonly StageFacts[];
  split: Split;
  warnings: readonly string[];
}

export async function recordStage(parts: RecordParts): Promise<{ record: RunRecord; file: string }> {
  const { request, dataset, searching, trained, measured, winners, curve, stages, split } = parts;
  const { config, seed, architecture } = request;
  const { engine, searcher } = searching;
  const stem = path.join(config.out, stemOf(request, dataset, trained));
  const runFile = await writeRun(`${stem}${runSuffix}`, measured.run, architecture);
  const record = await newRecord({
    seed,
    preset: presetText(config),
    config,
    arch: archFacts(trained),
    dataset: await datasetFacts(dataset, split),
    model: modelFacts(trained),
    device: {
      engine: engine.name,
      device: engine.device,
      searcher: searcher.name,
      threads: engine.threads,
      versions: { ...engine.versions, ...searcher.versions },
    },
    stages,
    training: trainingFacts(trained, stages),
    index: { ...(await indexFacts(searching)), ...(curve && { curve }) },
    queryIds: measured.evaluation.queryIds,
    measures: measureValues(measured.evaluation),
    run: { ...runFile, depth: config.search.depth },
    ...(winners && { winners }),
    warnings: parts.warnings,
  });
  return { record, file: `${stem}${recordSuffix}` };
}

/**
 * `squad-mlr-sc-12345-1f2e3d4c`: runs of other settings, which the last part tells apart, do not overwrite each other; nor
 * do runs that began with another checkpoint or had negatives named for them.
 */
export function stemOf(
  { architecture, dataset: name, seed, config }: RunRequest,
  dataset: Dataset,
  trained?: TrainedStage,
): string {
  const stage = trained?.first ?? trained;
  const given = {
    ...(stage?.setup.model.trainedAs !== undefined && { init: stage.setup.model.files }),
    ...(stage?.negatives.named === true && { negatives: stage.negatives.identity }),
  };
  const settings = keyOf({
    deciding: decidingSettings(config),
    dataset: datasetIdentity(dataset),
    ...given,
  }).slice(0, 8);
  return `${name.replace(/[/:]/g, '-')}-${architecture}-${seed}-${settings}`;
}

/** The settings that decide what a run's figures are. */
export function decidingSettings(config: BenchConfig): Partial<BenchConfig> {
  const { cache: _, out: __, keep: ___, seeds: ____, check: _____, ...deciding } = config;
  return deciding;
}
