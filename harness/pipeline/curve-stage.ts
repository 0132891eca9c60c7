/** What an approximate search finds of the exact hits, and how long it takes, for each value of its parameter. */
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import { measureLatency } from '../latency/latency.js';
import type { CurveFacts, CurvePoint } from '../record.js';
import type { Searcher } from '../search/search.js';
import { openAt, valuesOf } from '../stages/recall.js';
import type { RunFacts } from '../stages/search.js';
import type { VectorStages } from '../stages/systems.js';
import type { Workbench } from '../stages/workbench.js';
import { type BuiltIndex, bytesAt } from './built-index.js';
import type { OpenSearch } from './searching.js';
import { chosenQueries } from './timing.js';

/**
 * @param exact the run of the index Flat
 * @returns points in the order of the values; recall is cached, latency is measured anew
 */
export async function curveStage(
  bench: Workbench,
  searching: OpenSearch,
  { recall, queries }: Pick<VectorStages, 'recall' | 'queries'>,
  exact: Pick<RunFacts, 'depth'>,
  asked: { split: Split; seed: number },
): Promise<CurveFacts> {
  const { depth } = bench.config.search;
  const built = searching.built!;
  const { facts: recalls } = await bench.made(recall!);
  const vectors = new QueryVectors(await bench.made(queries));
  const latencies = await timesOf(bench, searching, built, vectors, { ...asked, depth });
  const points = valuesOf(built).map(
    (value, i): CurvePoint => ({
      value: value ?? null,
      recall: recalls[i]!,
      ...(latencies && { execution: { search: latencies[i]!.total } }),
    }),
  );
  return { depth: exact.depth, parameter: built.parameter, points };
}

/** The points take turns; where memory does not hold an index for each, as many at a time as it does. */
async function timesOf(
  bench: Workbench,
  searching: OpenSearch,
  built: BuiltIndex,
  encoded: QueryVectors,
  { split, depth, seed }: { split: Split; depth: number; seed: number },
) {
  const { latency, search } = bench.config;
  const queries = await bench.dataset.queries(split);
  const chosen = chosenQueries([...queries.keys()], latency.queries, seed);
  if (chosen.length === 0) return undefined;
  const vectors: Float32Array[] = [];
  for (const place of chosen) vectors.push(await encoded.read(place, 1));
  const values = valuesOf(built);
  const { index } = searching;
  const largest = Math.max(...values.map((value) => bytesAt(built, index, value)));
  const atOnce = Math.max(1, Math.floor((search.memoryMiB * 2 ** 20) / largest));
  const measured = [];
  for (let first = 0; first < values.length; first += atOnce) {
    const searchers: Searcher[] = [];
    try {
      for (const value of values.slice(first, first + atOnce)) {
        searchers.push(await openAt(bench, searching, built, value));
      }
      const { systems } = await measureLatency({
        systems: searchers.map((searcher, i) => ({
          name: String(values[first + i]),
          parts: [{ name: 'search', run: (vector: Float32Array) => searcher.search(vector, 1, depth) }],
        })),
        queries: vectors,
        warmup: latency.warmup,
        seed,
        signal: bench.progress.signal,
      });
      measured.push(...systems);
    } finally {
      for (const searcher of searchers) await searcher.dispose();
    }
  }
  return measured;
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
