/** How many of the exact hits an approximate search finds, as a stage. */
import type { Split } from '../contracts.js';
import { QueryVectors } from '../index/query-vectors.js';
import type { Progress } from '../progress.js';
import type { PassageHits, Searcher } from '../search/search.js';
import { mean } from '../statistics/summary.js';
import type { Artifact } from '../store/store.js';
import { type BuiltIndex, builtSearch } from './built-index.js';
import { engineIdentity } from './identity.js';
import { openSearcher } from './open-searcher.js';
import type { Prepared } from './prepare.js';
import { partQueriesOf } from './query-search.js';
import type { EncodedQueries } from './query-stage.js';
import type { RunFacts } from './search-stage.js';
import type { OpenSearch } from './searching.js';
import { stageCode } from './stage-code.js';

/** Hits that recall is told at, beside all of them. */
const shortDepth = 10;

/** The queries and the depth of both searches, the exact one and the other. */
export interface SearchedSplit {
  split: Split;
  /** The queries of the split. */
  encoded: EncodedQueries;
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
  searching: OpenSearch,
  built: BuiltIndex,
  exact: ExactRun,
  asked: SearchedSplit,
  progress: Progress,
): Promise<Record<string, number>[]> {
  const inputs = {
    made: 'recall 2',
    index: built.artifact.key,
    code: stageCode('recall', { engine: searching.engine, searcher: built.by.name }),
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
  { engine, index }: OpenSearch,
  built: BuiltIndex,
  value: number | undefined,
): Promise<Searcher> {
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  return openSearcher(built.by.name, index, { engine, memoryBytes, built: builtSearch(built, value) });
}

/** By point, recall by number of hits. */
async function recallsOf(
  prepared: Prepared,
  searching: OpenSearch,
  built: BuiltIndex,
  exact: PassageHits,
  { encoded, depth }: SearchedSplit,
  progress: Progress,
): Promise<Record<string, number>[]> {
  const vectors = new QueryVectors(encoded);
  const { queries } = vectors.facts;
  // As many at once as one reading of an index on the disk serves: their vectors are held, and those of no others.
  const atOnce = partQueriesOf(false, prepared.config.search.batchSize);
  const depths = [...new Set([Math.min(shortDepth, exact.depth), exact.depth])];
  const values = valuesOf(built);
  const stage = progress.stage('recall', queries * values.length, 'queries');
  const recalls: Record<string, number>[] = [];
  for (const [i, value] of values.entries()) {
    const searcher = await openAt(prepared, searching, built, value);
    const perQuery = depths.map((): number[] => []);
    try {
      for (let first = 0; first < queries; first += atOnce) {
        const count = Math.min(atOnce, queries - first);
        const hits = await searcher.search(await vectors.read(first, count), count, depth);
        const wanted = hitsOfRange(exact, first, count);
        for (const [d, k] of depths.entries()) perQuery[d]!.push(...recallPerQuery(k, hits, wanted));
        stage.update(queries * i + first + count);
        progress.checkInterrupted();
      }
    } finally {
      await searcher.dispose();
    }
    recalls.push(Object.fromEntries(depths.map((k, d) => [k, meanRecall(perQuery[d]!)])));
  }
  stage.end();
  return recalls;
}

/** The hits of some of the queries. @param first place of the first of them */
function hitsOfRange(
  { depth, ordinals, scores, winners, counts }: PassageHits,
  first: number,
  count: number,
) {
  const [from, end] = [first * depth, (first + count) * depth];
  return {
    depth,
    ordinals: ordinals.subarray(from, end),
    scores: scores.subarray(from, end),
    winners: winners.subarray(from, end),
    counts: counts.subarray(first, first + count),
  };
}

const meanRecall = (perQuery: readonly number[]): number => (perQuery.length === 0 ? 1 : mean(perQuery));

/** The share of the first k exact hits that is among the first k hits: the mean over queries. */
export function recallAt(k: number, hits: PassageHits, exact: PassageHits): number {
  return meanRecall(recallPerQuery(k, hits, exact));
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
