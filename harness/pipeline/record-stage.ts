/** Puts together the record of a run from what its stages found out, all but the latencies, and writes its hits. */
import path from 'node:path';
import { type BenchConfig, presetText } from '../config/config.js';
import type { Dataset, Run, Split } from '../contracts.js';
import { datasetIdentity } from '../dataset/identity.js';
import { withOrderInScores } from '../interchange/score-order.js';
import { writeRun } from '../interchange/trec.js';
import { measureValues } from '../metrics/measure-values.js';
import {
  newRecord,
  type RunRecord,
  recordSuffix,
  runSuffix,
  type StageFacts,
  writeIrMetadata,
} from '../record.js';
import { keyOf } from '../store/hash.js';
import type { Measurement } from './measure-stage.js';
import { datasetFacts } from './record-parts.js';
import type { RunRequest } from './run-request.js';
import type { AnsweredSystem, Study } from './system.js';

export { datasetFacts } from './record-parts.js';

export interface RecordParts {
  request: RunRequest;
  dataset: Dataset;
  split: Split;
  answering: Pick<AnsweredSystem, 'facts' | 'given' | 'remarks' | 'hasTies'>;
  run: Run;
  measured: Measurement;
  studied: Study | undefined;
  stages: readonly StageFacts[];
}

export async function recordStage(parts: RecordParts): Promise<{ record: RunRecord; file: string }> {
  const { request, dataset, answering, run, measured, studied, stages, split } = parts;
  const { config, seed, architecture } = request;
  const { index, training, ...facts } = answering.facts;
  const stem = path.join(config.out, stemOf(request, dataset, answering.given));
  const runFile = await writeRun(
    `${stem}${runSuffix}`,
    writtenRun(run, dataset, answering),
    tagOf(architecture),
  );
  const record = await newRecord({
    ...facts,
    seed,
    preset: presetText(config),
    dataset: await datasetFacts(dataset, split),
    stages,
    ...(training && { training }),
    ...(index && { index: { ...index, ...(studied?.curve && { curve: studied.curve }) } }),
    queryIds: measured.evaluation.queryIds,
    measures: measureValues(measured.evaluation),
    run: { ...runFile, depth: config.search.depth },
    ...(studied?.winners && { winners: studied.winners }),
    warnings: [...answering.remarks, ...measured.warnings, ...(studied?.remarks ?? [])],
  });
  await writeIrMetadata(`${stem}${runSuffix}`, record);
  return { record, file: `${stem}${recordSuffix}` };
}

/** As its file has it. Where equal scores are measured in the order of the search, tools that order by scores measure what is measured here. */
export const writtenRun = (
  run: Run,
  { tieRule }: Pick<Dataset, 'tieRule'>,
  { hasTies }: Pick<AnsweredSystem, 'hasTies'>,
): Run => (hasTies && tieRule === undefined ? withOrderInScores(run) : run);

/**
 * `squad-mlr-sc-12345-1f2e3d4c`: runs of other settings, which the last part tells apart, do not overwrite each other; nor
 * do runs that began with another checkpoint or had negatives named for them. `squad-plus-1000-...` has distractors.
 */
export function stemOf(
  { architecture, dataset: name, distractors, seed, config }: RunRequest,
  dataset: Dataset,
  given: AnsweredSystem['given'] = {},
): string {
  const settings = keyOf({
    deciding: decidingSettings(config),
    dataset: datasetIdentity(dataset),
    ...given,
  }).slice(0, 8);
  const collection = distractors === undefined ? name : `${name}-plus-${distractors.count}`;
  return `${fileName(collection)}-${fileName(architecture)}-${seed}-${settings}`;
}

/** Longer ones end with a hash: a file's name holds 255 bytes, and a system's may hold several paths. */
const longestPart = 100;

/** A dataset's or a system's name as part of a file's. */
export function fileName(name: string): string {
  const plain = name.replace(/[^\w.-]+/g, '-');
  if (plain.length <= longestPart) return plain;
  return `${plain.slice(0, longestPart - 9)}-${keyOf(name).slice(0, 8)}`;
}

/** A system's name as the last column of a run has it: a folder's may hold blanks. */
export const tagOf = (name: string): string => name.replace(/[\0- ]+/g, '-');

/** The settings that decide what a run's figures are. */
export function decidingSettings(config: BenchConfig): Partial<BenchConfig> {
  const { cache: _, out: __, keep: ___, seeds: ____, check: _____, ...deciding } = config;
  return deciding;
}
