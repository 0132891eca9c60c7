/** What an approximate search finds of the exact hits, and how long it takes, for each value of its parameter. */
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import { measureLatency } from '../latency/latency.js';
import type { Progress } from '../progress.js';
import type { CurveFacts, CurvePoint } from '../record.js';
import type { Searcher } from '../search/search.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import type { BuiltIndex } from './built-index.js';
import { readHits } from './hit-files.js';
import type { OpenModel } from './open-model.js';
import type { Prepared } from './prepare.js';
import type { EncodedQueries } from './query-stage.js';
import { type ExactRun, openAt, recallStage, type SearchedSplit, valuesOf } from './recall-stage.js';
import { searchStage } from './search-stage.js';
import { closeSearching, type OpenSearch, openSearching } from './searching.js';
import type { StageLog } from './stage-log.js';
import { chosenQueries } from './timing.js';

/**
 * What the index Flat finds: the same artifact that a run with that index leaves, but where a dataset drops passages that are
 * queries, which are hits of an index like any other.
 */
export async function exactRun(
  prepared: Prepared,
  model: OpenModel,
  engine: Engine,
  shards: Pick<Artifact<unknown>, 'key' | 'folder'>,
  asked: { split: Split; encoded: EncodedQueries; depth: number },
  log: StageLog,
  progress: Progress,
): Promise<ExactRun> {
  const searching = await openSearching(prepared, model, engine, shards.folder);
  try {
    const run = await log.artifact('exact search', () =>
      searchStage(prepared, searching, shards.key, asked, progress),
    );
    return { run, hits: await readHits(run) };
  } finally {
    await closeSearching(searching);
  }
}

/**
 * @param exact the hits of the same queries in the index Flat
 * @returns points in the order of the values; recall is cached, latency is measured anew
 */
export async function curveStage(
  prepared: Prepared,
  searching: OpenSearch,
  built: BuiltIndex,
  exact: ExactRun,
  asked: SearchedSplit,
  progress: Progress,
): Promise<CurveFacts> {
  const recalls = await recallStage(prepared, searching, built, exact, asked, progress);
  const latencies = await timesOf(prepared, searching, built, asked, progress);
  const points = valuesOf(built).map(
    (value, i): CurvePoint => ({
      value: value ?? null,
      recall: recalls[i]!,
      ...(latencies && { execution: { search: latencies[i]!.total } }),
    }),
  );
  return { depth: exact.hits.depth, parameter: built.parameter, points };
}

/** The points take turns; where memory does not hold an index for each, as many at a time as it does. */
async function timesOf(
  prepared: Prepared,
  searching: OpenSearch,
  built: BuiltIndex,
  { split, encoded, depth, seed }: SearchedSplit,
  progress: Progress,
) {
  const { latency, search } = prepared.config;
  const queries = await prepared.dataset.queries(split);
  const chosen = chosenQueries([...queries.keys()], latency.queries, seed);
  if (chosen.length === 0) return undefined;
  const encodedQueries = new QueryVectors(encoded);
  const vectors: Float32Array[] = [];
  for (const place of chosen) vectors.push(await encodedQueries.read(place, 1));
  const values = valuesOf(built);
  const atOnce = Math.max(1, Math.floor((search.memoryMiB * 2 ** 20) / built.artifact.facts.sizeBytes));
  const measured = [];
  for (let first = 0; first < values.length; first += atOnce) {
    const searchers: Searcher[] = [];
    try {
      for (const value of values.slice(first, first + atOnce)) {
        searchers.push(await openAt(prepared, searching, built, value));
      }
      const { systems } = await measureLatency({
        systems: searchers.map((searcher, i) => ({
          name: String(values[first + i]),
          parts: [{ name: 'search', run: (vector: Float32Array) => searcher.search(vector, 1, depth) }],
        })),
        queries: vectors,
        warmup: latency.warmup,
        seed,
        signal: progress.signal,
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
  { run }: Pick<ExactRun, 'run'>,
): string[] {
  const { depth, parameter, points } = curve;
  const { value, recall } = points.at(-1)!;
  const at = parameter === null ? '' : ` with ${parameter} ${value}`;
  const { searcher } = run.facts;
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
