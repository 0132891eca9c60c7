/** How many of the exact hits an approximate search finds. */
import type { BenchConfig } from '../config/config.js';
import { parametersAsked } from '../config/index-parameters.js';
import { QueryVectors } from '../index/query-vectors.js';
import { type BuiltIndex, builtSearch } from '../pipeline/built-index.js';
import { readHits } from '../pipeline/hit-files.js';
import { openSearcher } from '../pipeline/open-searcher.js';
import { partQueriesOf } from '../pipeline/query-search.js';
import type { OpenSearch } from '../pipeline/searching.js';
import { hitsOfRange } from '../search/passages.js';
import type { PassageHits, Searcher } from '../search/search.js';
import { mean } from '../statistics/summary.js';
import type { Stage, Workplace } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts, SearchAsked, Searched } from './search.js';

/** Hits that recall is told at, beside all of them. */
const shortDepth = 10;

/**
 * Leaves, by point in the order of the values, recall by number of hits.
 * @param exact the hits of the same queries in the index Flat
 */
export function recall(
  { system, queries, shards, index }: Required<Searched>,
  exact: Stage<RunFacts>,
  { depth }: Pick<SearchAsked, 'depth'>,
  config: Pick<BenchConfig, 'search' | 'index'>,
  { dataset, engine, computing, builder, code }: Known,
): Stage<Record<string, number>[]> {
  const { batchSize, memoryMiB } = config.search;
  return {
    name: 'recall',
    kind: 'findings',
    version: 'recall 3',
    needs: { index, exact },
    inputs: () => ({
      ...code('recall', { engine, searcher: builder?.name }),
      values: parametersAsked(config.index),
      ...computing,
      ...{ batchSize, memoryMiB },
    }),
    about: { dataset: dataset.name, system },
    async make(_folder, at) {
      const hits = await readHits(await at.made(exact));
      const searching = await at.searching(shards, index);
      const vectors = new QueryVectors(await at.made(queries));
      return recallsOf(at, searching, searching.built!, hits, vectors, depth);
    },
  };
}

/** A kind without a parameter is a curve of one point. */
export function valuesOf({ values }: BuiltIndex): readonly (number | undefined)[] {
  return values.length === 0 ? [undefined] : values;
}

export function openAt(
  { config }: Pick<Workplace, 'config'>,
  { engine, index }: OpenSearch,
  built: BuiltIndex,
  value: number | undefined,
): Promise<Searcher> {
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  return openSearcher(built.by.name, index, { engine, memoryBytes, built: builtSearch(built, value) });
}

/** The recall of each point, by number of hits. */
async function recallsOf(
  at: Workplace,
  searching: OpenSearch,
  built: BuiltIndex,
  exact: PassageHits,
  vectors: QueryVectors,
  depth: number,
): Promise<Record<string, number>[]> {
  const { progress, config } = at;
  const { queries } = vectors.facts;
  // One reading of an index on the disk serves so many at once: their vectors are held, and no others.
  const atOnce = partQueriesOf(false, config.search.batchSize);
  const depths = [...new Set([Math.min(shortDepth, exact.depth), exact.depth])];
  const values = valuesOf(built);
  const stage = progress.stage('recall', queries * values.length, 'queries');
  const recalls: Record<string, number>[] = [];
  for (const [i, value] of values.entries()) {
    const searcher = await openAt(at, searching, built, value);
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
