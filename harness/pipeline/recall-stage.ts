/** How many of the exact hits an approximate search finds, as a stage. */
import type { Split } from '../contracts.js';
import type { Progress } from '../progress.js';
import type { PassageHits, Searcher } from '../search/search.js';
import { mean } from '../statistics/summary.js';
import type { Artifact } from '../store/store.js';
import { type BuiltIndex, builtSearch } from './built-index.js';
import { engineIdentity } from './identity.js';
import { openSearcher } from './open-searcher.js';
import type { Prepared } from './prepare.js';
import type { RunFacts } from './search-stage.js';
import type { Searching } from './searching.js';
import { stageCode } from './stage-code.js';

/** Hits that recall is told at, beside all of them. */
const shortDepth = 10;

export interface Asked {
  split: Split;
  depth: number;
  seed: number;
}

export interface ExactRun {
  run: Artifact<RunFacts>;
  hits: PassageHits;
}

/**
 * @param exact the hits of the same queries in the index Flat
 * @returns by point, in the order of the values, recall by number of hits
 */
export async function recallStage(
  prepared: Prepared,
  searching: Searching,
  built: BuiltIndex,
  exact: ExactRun,
  asked: Asked,
  progress: Progress,
): Promise<Record<string, number>[]> {
  const inputs = {
    made: 'recall 1',
    index: built.artifact.key,
    code: stageCode('recall', {
      dataset: prepared.dataset,
      ...searching.model.code,
      engine: searching.engine,
      searcher: built.by.name,
    }),
    exact: exact.run.key,
    values: built.values,
    engine: engineIdentity(searching.engine),
  };
  const { facts } = await prepared.store.artifact(
    'findings',
    inputs,
    () => recallsOf(prepared, searching, built, exact.hits, asked, progress),
    { dataset: prepared.dataset.name, system: searching.model.name },
  );
  return facts;
}

/** A kind without a parameter is a curve of one point. */
export function valuesOf({ values }: BuiltIndex): readonly (number | undefined)[] {
  return values.length === 0 ? [undefined] : values;
}

export function openAt(
  { config }: Prepared,
  { engine, index }: Searching,
  built: BuiltIndex,
  value: number | undefined,
): Promise<Searcher> {
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  return openSearcher(built.by.name, index, { engine, memoryBytes, built: builtSearch(built, value) });
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
  const { index, queryEncoder, model } = searching;
  const queries = await prepared.dataset.queries(split);
  const { batchSize } = prepared.config.search;
  const vectors = new Float32Array(queries.length * index.dimensions);
  const values = valuesOf(built);
  const stage = progress.stage('recall', queries.length * (values.length + 1), 'queries');
  for (let first = 0; first < queries.length; first += batchSize) {
    const texts = queries.slice(first, first + batchSize).map(({ text }) => model.texts.query(text));
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
