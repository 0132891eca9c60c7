/** What an approximate search finds of the exact hits, and how long it takes, for each value of its parameter. */
import type { Split } from '../contracts.js';
import { measureLatency } from '../latency/latency.js';
import type { Progress } from '../progress.js';
import type { CurveFacts, CurvePoint } from '../record.js';
import { openSearcher, type PassageHits, type Searcher } from '../search/search.js';
import { mean } from '../statistics/summary.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import type { Checkpoint } from './checkpoint.js';
import { readHits } from './hit-files.js';
import { type BuiltIndex, factoryIndex } from './index-stage.js';
import { engineIdentity, type Prepared } from './prepare.js';
import { closeSearching, openSearching, type RunFacts, type Searching, searchStage } from './search-stage.js';
import type { StageLog } from './stage-log.js';
import { chosenQueries } from './timing.js';

/** Hits that recall is told at, beside all of them. */
const shortDepth = 10;

interface Asked {
  split: Split;
  depth: number;
  seed: number;
}

export interface ExactRun {
  run: Artifact<RunFacts>;
  hits: PassageHits;
}

/**
 * What the index Flat finds: the same artifact that a run with that index leaves, but where a dataset drops passages that are
 * queries, which are hits of an index like any other.
 */
export async function exactRun(
  prepared: Prepared,
  checkpoint: Checkpoint,
  engine: Engine,
  shards: Pick<Artifact<unknown>, 'key' | 'folder'>,
  asked: { split: Split; depth: number },
  log: StageLog,
  progress: Progress,
): Promise<ExactRun> {
  const searching = await openSearching(prepared, checkpoint, engine, shards.folder);
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
  searching: Searching,
  built: BuiltIndex,
  exact: ExactRun,
  asked: Asked,
  progress: Progress,
): Promise<CurveFacts> {
  const inputs = {
    made: 'recall 1',
    index: built.artifact.key,
    exact: exact.run.key,
    values: built.values,
    engine: engineIdentity(searching.engine),
  };
  const { facts: recalls } = await prepared.store.artifact('findings', inputs, () =>
    recallsOf(prepared, searching, built, exact.hits, asked, progress),
  );
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

/** A kind without a parameter is a curve of one point. */
function valuesOf({ values }: BuiltIndex): readonly (number | undefined)[] {
  return values.length === 0 ? [undefined] : values;
}

function openAt(
  { config }: Prepared,
  { engine, index }: Searching,
  built: BuiltIndex,
  value: number | undefined,
): Promise<Searcher> {
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  return openSearcher('faiss', index, { engine, memoryBytes, built: factoryIndex(built, value) });
}

/** By point, recall by number of hits. */
async function recallsOf(
  prepared: Prepared,
  searching: Searching,
  built: BuiltIndex,
  exact: PassageHits,
  { split, depth }: Asked,
  progress: Progress,
): Promise<Record<string, number>[]> {
  const { index, queryEncoder, checkpoint } = searching;
  const queries = await prepared.dataset.queries(split);
  const { batchSize } = prepared.config.search;
  const vectors = new Float32Array(queries.length * index.dimensions);
  const values = valuesOf(built);
  const stage = progress.stage('recall', queries.length * (values.length + 1), 'queries');
  for (let first = 0; first < queries.length; first += batchSize) {
    const texts = queries.slice(first, first + batchSize).map(({ text }) => checkpoint.texts.query(text));
    vectors.set((await queryEncoder.encode(texts)).vectors, first * index.dimensions);
    stage.update(first + texts.length);
    progress.checkInterrupted();
  }
  const recalls: Record<string, number>[] = [];
  for (const [i, value] of values.entries()) {
    const searcher = await openAt(prepared, searching, built, value);
    const hits = await searcher.search(vectors, queries.length, depth);
    await searcher.dispose();
    const depths = [...new Set([Math.min(shortDepth, exact.depth), exact.depth])];
    recalls.push(Object.fromEntries(depths.map((k) => [k, recallAt(k, hits, exact)])));
    stage.update(queries.length * (i + 2));
    progress.checkInterrupted();
  }
  stage.end();
  return recalls;
}

/** The share of the first k exact hits that is among the first k hits: the mean over queries. */
export function recallAt(k: number, hits: PassageHits, exact: PassageHits): number {
  const perQuery = recallPerQuery(k, hits, exact);
  return perQuery.length === 0 ? 1 : mean(perQuery);
}

export function recallPerQuery(k: number, hits: PassageHits, exact: PassageHits): number[] {
  return Array.from(exact.counts, (_, q) => {
    const first = ({ ordinals, depth, counts }: PassageHits) =>
      ordinals.subarray(q * depth, q * depth + Math.min(k, counts[q]!));
    const wanted = first(exact);
    const found = new Set(first(hits));
    let held = 0;
    for (const ordinal of wanted) if (found.has(ordinal)) held++;
    return wanted.length === 0 ? 1 : held / wanted.length;
  });
}

/** The points take turns; where memory does not hold an index for each, as many at a time as it does. */
async function timesOf(
  prepared: Prepared,
  searching: Searching,
  built: BuiltIndex,
  { split, depth, seed }: Asked,
  progress: Progress,
) {
  const { latency, search } = prepared.config;
  const queries = chosenQueries(await prepared.dataset.queries(split), latency.queries, seed);
  if (queries.length === 0) return undefined;
  const { queryEncoder, checkpoint } = searching;
  const vectors: Float32Array[] = [];
  for (const { text } of queries) {
    vectors.push((await queryEncoder.encode([checkpoint.texts.query(text)])).vectors);
  }
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
export function curveRemarks({ kind, artifact: { facts } }: BuiltIndex, curve: CurveFacts): string[] {
  const { depth, parameter, points } = curve;
  const { value, recall } = points.at(-1)!;
  const at = parameter === null ? '' : ` with ${parameter} ${value}`;
  const idle =
    parameter === 'efSearch' && points.some((point) => point.value !== null && point.value < depth);
  return [
    `the index ${kind}${at} finds ${(100 * recall[depth]!).toFixed(1)} % of the exact top ${depth}`,
    ...(idle
      ? [`FAISS keeps ${depth} candidates where efSearch is less than the ${depth} hits asked for`]
      : []),
    ...facts.warnings,
  ];
}
