/** A run in a file measured against a dataset, as `run` measures its own: the same queries, rules and answers. */
import path from 'node:path';
import type { Dataset, Query, Run, Split } from '../contracts.js';
import { BenchError } from '../errors.js';
import { type RunFormat, readRunFile } from '../interchange/run-file.js';
import { measureValues } from '../metrics/measure-values.js';
import { parseMeasures } from '../plugins/measures.js';
import type { Progress } from '../progress.js';
import { bareArchitecture, newRecord, type RunRecord, runElsewhere } from '../record.js';
import type { PassageHits } from '../search/search.js';
import { describeFile } from '../store/hash-once.js';
import { Store } from '../store/store.js';
import { identicalIdsOf } from './judgements.js';
import { type Measured, measureStage } from './measure-stage.js';
import { openDataset, type StageRequest } from './prepare.js';
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
): Promise<{ record: RunRecord; measured: Measured; remarks: readonly string[] }> {
  const { config, split } = request;
  parseMeasures(config.measures);
  const dataset = await openDataset(request, new Store(config.cache, { told: progress }), progress);
  const queries = await dataset.queries(split);
  const format = request.format === undefined ? {} : { format: request.format };
  const { run, tag, remarks } = await readRunFile(request.run, { ...format, queries });
  const leftOut = refuseStrangers(request, dataset, queries, run);
  const { hits, passageIds, unknown } = await hitsOf(dataset, queries, run);
  const identicalIds = identicalIdsOf(config, dataset);
  const index = { identifiers: async () => ({ at: (ordinal: number) => passageIds.get(ordinal)! }) };
  const measures = config.measures;
  const measured = await measureStage({ dataset, split, index, hits, measures, identicalIds });
  const described = await describeFile(request.run);
  const warnings = [
    `run file ${described.name}, sha256 ${described.sha256}`,
    ...remarks,
    ...measured.warnings,
    ...(leftOut === 0 ? [] : [`${leftOut} queries of the run are not ${split} queries and are left out`]),
    ...(unknown === 0
      ? []
      : [`${unknown} passages of the run are not in ${dataset.name}; they hold no answer`]),
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

/**
 * The run as a search would have left it. Passages are numbered by their place in the collection, which is read once;
 * those that are not in it come after its last.
 */
async function hitsOf(
  dataset: Dataset,
  queries: readonly Query[],
  run: Run,
): Promise<{ hits: PassageHits; passageIds: ReadonlyMap<number, string>; unknown: number }> {
  const wanted = new Set<string>();
  let depth = 0;
  for (const { queryId } of queries) {
    const { passageIds = [] } = run.get(queryId) ?? {};
    for (const id of passageIds) wanted.add(id);
    depth = Math.max(depth, passageIds.length);
  }
  const ordinals = new Map<string, number>();
  let passages = 0;
  for await (const { passageId } of dataset.passages()) {
    if (wanted.has(passageId)) ordinals.set(passageId, passages);
    passages++;
  }
  const unknown = wanted.size - ordinals.size;
  for (const id of wanted) if (!ordinals.has(id)) ordinals.set(id, passages++);
  const places = queries.length * depth;
  const hits: PassageHits = {
    depth,
    ordinals: new Int32Array(places).fill(-1),
    scores: new Float32Array(places),
    winners: new Int32Array(places),
    counts: new Int32Array(queries.length),
  };
  for (const [q, { queryId }] of queries.entries()) {
    const ranking = run.get(queryId);
    if (ranking === undefined) continue;
    const { passageIds, scores = [], ranks = [] } = ranking;
    const order = [...passageIds.keys()].sort(
      (a, b) => scores[b]! - scores[a]! || (ranks[a] ?? a) - (ranks[b] ?? b) || a - b,
    );
    hits.counts[q] = order.length;
    for (const [i, place] of order.entries()) {
      hits.ordinals[q * depth + i] = ordinals.get(passageIds[place]!)!;
      hits.scores[q * depth + i] = scores[place]!;
    }
  }
  return { hits, passageIds: new Map([...ordinals].map(([id, ordinal]) => [ordinal, id])), unknown };
}
