/** A run in a file measured against a dataset, as `run` measures its own: the same queries, rules and answers. */

import path from 'node:path';
import type { Dataset, Run, Split } from '../contracts.js';
import type { RunFormat } from '../interchange/run-file.js';
import { measureValues } from '../metrics/measure-values.js';
import { parseMeasures } from '../plugins/measures.js';
import type { Progress } from '../progress.js';
import { bareArchitecture, newRecord, type RunRecord, runElsewhere } from '../record.js';
import { describeFile } from '../store/hash-once.js';
import { Store } from '../store/store.js';
import { readForeignRun, remarksOf, unknownRemarks } from './foreign-run.js';
import { type Measurement, measureStage } from './measure-stage.js';
import { openDataset } from './open-dataset.js';
import { identicalIdsOf } from './own-passages.js';
import type { StageRequest } from './prepare.js';
import { datasetFacts } from './record-parts.js';

export interface EvaluateRequest extends StageRequest {
  /** File of hits. */
  run: string;
  /** Seen from the file where absent. */
  format?: RunFormat;
  split: Split;
}

/** Hits are ordered by their score; equal ones keep the order of their ranks. */
export async function evaluateRun(
  request: EvaluateRequest,
  progress: Progress,
): Promise<{ record: RunRecord; measured: Measurement; remarks: readonly string[] }> {
  const { config, split } = request;
  parseMeasures(config.measures);
  const dataset = await openDataset(request, new Store(config.cache, { told: progress }), progress);
  const { run, tag, found } = await readForeignRun(request.run, dataset, split, request.format);
  const identicalIds = identicalIdsOf(config, dataset);
  const measures = config.measures;
  const measured = await measureStage({ dataset, split, run, measures, identicalIds });
  const unknown = measured.unknown ?? (await countUnknown(dataset, run));
  const described = await describeFile(request.run);
  const warnings = [
    ...remarksOf(found, described, split),
    ...measured.warnings,
    ...unknownRemarks(unknown, dataset.name),
  ];
  const record = await newRecord({
    ...runElsewhere,
    config: { measures: [...measures], measure: config.measure },
    arch: bareArchitecture(tag ?? path.basename(request.run)),
    dataset: await datasetFacts(dataset, split),
    queryIds: measured.evaluation.queryIds,
    measures: measureValues(measured.evaluation),
    warnings,
  });
  return { record, measured, remarks: found.remarks };
}

/** How many passages of the run the collection does not have; it is read once, as far as it has to be. */
async function countUnknown(dataset: Dataset, run: Run): Promise<number> {
  const missing = new Set<string>();
  for (const { passageIds } of run.values()) for (const id of passageIds) missing.add(id);
  if (missing.size === 0) return 0;
  for await (const { passageId } of dataset.passages())
    if (missing.delete(passageId) && missing.size === 0) break;
  return missing.size;
}
