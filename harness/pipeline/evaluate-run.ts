/** A run in a file measured against a dataset, as `run` measures its own: the same queries, rules and answers. */

import path from 'node:path';
import type { Dataset, Query, Run, Split } from '../contracts.js';
import { counted } from '../counted.js';
import { BenchError } from '../errors.js';
import { type RunFormat, readRunFile } from '../interchange/run-file.js';
import { measureValues } from '../metrics/measure-values.js';
import { parseMeasures } from '../plugins/measures.js';
import type { Progress } from '../progress.js';
import { bareArchitecture, newRecord, type RunRecord, runElsewhere } from '../record.js';
import { describeFile } from '../store/hash-once.js';
import { Store } from '../store/store.js';
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
  const queries = await dataset.queries(split);
  const format = request.format === undefined ? {} : { format: request.format };
  const { run, tag, remarks } = await readRunFile(request.run, { ...format, queries });
  const leftOut = refuseStrangers(request, dataset, queries, run);
  const ranked = bestFirst(queries, run);
  const identicalIds = identicalIdsOf(config, dataset);
  const measures = config.measures;
  const measured = await measureStage({ dataset, split, run: ranked, measures, identicalIds });
  const unknown = measured.unknown ?? (await countUnknown(dataset, ranked));
  const described = await describeFile(request.run);
  const warnings = [
    `run file ${described.name}, sha256 ${described.sha256}`,
    ...remarks,
    ...measured.warnings,
    ...(leftOut === 0
      ? []
      : [
          `${counted(leftOut, `queries of the run are not ${split} queries and are`, `query of the run is not a ${split} query and is`)} left out`,
        ]),
    ...(unknown === 0
      ? []
      : [
          `${counted(unknown, 'passages of the run are', 'passage of the run is')} not in ${dataset.name}; ${unknown === 1 ? 'it holds' : 'they hold'} no answer`,
        ]),
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
  return { record, measured, remarks };
}

/** @returns how many queries of the run are left out @throws BenchError DATA_INVALID where all of them would be */
function refuseStrangers(
  { run: file, split }: EvaluateRequest,
  dataset: Dataset,
  queries: readonly Query[],
  run: Run,
): number {
  const found = queries.filter(({ queryId }) => run.has(queryId)).length;
  if (found > 0) return run.size - found;
  const [first] = run.keys();
  throw new BenchError(
    'DATA_INVALID',
    `${file} has hits for none of the ${queries.length} ${split} queries of ${dataset.name}.`,
    {
      hint: `Its query ids look like '${first ?? ''}', those of the dataset like '${queries[0]?.queryId ?? ''}'. --split chooses the queries.`,
    },
  );
}

/** The run as a search would have left it: a ranking of each query of the split, and of no other. */
function bestFirst(queries: readonly Query[], run: Run): Run {
  return new Map(
    queries.map(({ queryId }) => {
      const { passageIds, scores = [], ranks = [] } = run.get(queryId) ?? { passageIds: [] };
      const order = [...passageIds.keys()].sort(
        (a, b) => scores[b]! - scores[a]! || (ranks[a] ?? a) - (ranks[b] ?? b) || a - b,
      );
      return [
        queryId,
        {
          passageIds: order.map((place) => passageIds[place]!),
          scores: Float32Array.from(order, (place) => scores[place]!),
        },
      ];
    }),
  );
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
