/** What an approximate search finds of the exact hits, what that does to accuracy, and how long it takes, for each value of its parameter. */
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import { measureValues } from '../metrics/measure-values.js';
import type { CurveFacts, CurvePoint } from '../record.js';
import type { Stage } from '../stages/graph.js';
import type { RunFacts } from '../stages/search.js';
import type { VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import { type BuiltIndex, bytesAt } from './built-index.js';
import { curveTimes } from './curve-times.js';
import { readHits } from './hit-files.js';
import { measureStage } from './measure-stage.js';
import { indexFacts } from './record-parts.js';
import { runOf } from './run-of-hits.js';
import { type OpenSearch, valuesOf } from './searching.js';

/**
 * @param exact the run of the index Flat
 * @returns points in the order of the values; recall is cached, accuracy is measured and latency taken anew
 */
export async function curveStage(
  bench: Workbench,
  searching: OpenSearch,
  stages: Pick<VectorStages, 'recall' | 'queries' | 'points' | 'exact'>,
  exact: Pick<RunFacts, 'depth'>,
  asked: { split: Split; seed: number; identicalIds: 'dropped' | 'kept' },
): Promise<CurveFacts> {
  const { index, searcher } = searching;
  const built = searching.built!;
  const { facts: recalls } = await bench.made(stages.recall!);
  const vectors = new QueryVectors(await bench.made(stages.queries));
  const measuresOf = (stage: Stage<RunFacts>) => measuredPoint(bench, searching, stage, asked);
  const flat = await measuresOf(stages.exact!);
  const before: Awaited<ReturnType<typeof measuresOf>>[] = [];
  for (const stage of stages.points!.slice(0, -1)) before.push(await measuresOf(stage));
  const { identifiers, offsets } = (await indexFacts({ index, searcher })).sizeBytes;
  const times = await curveTimes(bench, searching, vectors, asked);
  const points = valuesOf(built).map((value, i): CurvePoint => {
    const search = times?.points[i]?.total;
    return {
      value: value ?? null,
      recall: recalls[i]!,
      sizeBytes: bytesAt(built, index, value) + identifiers + offsets,
      ...(before[i] && { measures: before[i] }),
      ...(search && { execution: { search } }),
    };
  });
  const search = times?.exact?.total;
  return {
    depth: exact.depth,
    parameter: built.parameter,
    points,
    exact: { measures: flat, ...(search && { execution: { search } }) },
  };
}

async function measuredPoint(
  bench: Pick<Workbench, 'dataset' | 'config' | 'made'>,
  { index }: Pick<OpenSearch, 'index'>,
  stage: Stage<RunFacts>,
  { split, identicalIds }: { split: Split; identicalIds: 'dropped' | 'kept' },
): Promise<NonNullable<CurvePoint['measures']>> {
  const { dataset, config } = bench;
  const hits = await readHits(await bench.made(stage));
  const run = await runOf(await dataset.queries(split), index, hits);
  const { evaluation } = await measureStage({ dataset, split, run, measures: config.measures, identicalIds });
  return Object.fromEntries(
    Object.entries(measureValues(evaluation)).map(([id, { mean, perQuery }]) => [id, { mean, perQuery }]),
  );
}

/** What a reader of the run's figures should know of an index that is not exact. */
export function curveRemarks(
  { kind, by, artifact: { facts } }: BuiltIndex,
  curve: CurveFacts,
  exact: Pick<RunFacts, 'searcher'>,
): string[] {
  const { depth, parameter, points } = curve;
  const { value, recall } = points.at(-1)!;
  const at = parameter === null ? '' : ` with ${parameter} ${value}`;
  const { searcher } = exact;
  const exactBy = searcher === by.name ? '' : `, which is of the searcher ${searcher}`;
  const idle =
    parameter === 'efSearch' && points.some((point) => point.value !== null && point.value < depth);
  return [
    `the index ${kind}${at} finds ${(100 * recall[depth]!).toFixed(1)} % of the exact top ${depth}${exactBy}`,
    ...(idle
      ? [`a search keeps ${depth} candidates where efSearch is less than the ${depth} hits asked for`]
      : []),
    ...facts.warnings,
  ];
}
