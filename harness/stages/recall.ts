/** How many of the exact hits an approximate search finds. */
import type { BenchConfig } from '../config/config.js';
import { parametersAsked } from '../config/index-parameters.js';
import { type BuiltIndex, builtSearch } from '../pipeline/built-index.js';
import { readHits } from '../pipeline/hit-files.js';
import { openSearcher } from '../pipeline/open-searcher.js';
import type { Searching } from '../pipeline/searching.js';
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
  { model, shards, index }: Required<Searched>,
  exact: Stage<RunFacts>,
  { split, depth }: Pick<SearchAsked, 'split' | 'depth'>,
  config: Pick<BenchConfig, 'search' | 'encode' | 'index'>,
  { dataset, engine, builder, code }: Known,
): Stage<Record<string, number>[]> {
  const { batchSize, memoryMiB } = config.search;
  return {
    name: 'recall',
    kind: 'findings',
    version: 'recall 2',
    needs: { index: index!, exact },
    inputs: () => ({
      ...code('recall', { ...model.code, searcher: builder?.name }),
      ...{ values: parametersAsked(config.index), engine },
      ...{ batchSize, memoryMiB, batchTokens: config.encode.batchTokens },
    }),
    about: { dataset: dataset.name, system: model.name },
    async make(_folder, at) {
      const hits = await readHits(await at.made(exact));
      const searching = await at.searching(model, shards, index);
      return recallsOf(at, searching, searching.built!, hits, { split, depth });
    },
  };
}

/** A kind without a parameter is a curve of one point. */
export function valuesOf({ values }: BuiltIndex): readonly (number | undefined)[] {
  return values.length === 0 ? [undefined] : values;
}

export function openAt(
  { config }: Pick<Workplace, 'config'>,
  { engine, index }: Searching,
  built: BuiltIndex,
  value: number | undefined,
): Promise<Searcher> {
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  return openSearcher(built.by.name, index, { engine, memoryBytes, built: builtSearch(built, value) });
}

/** By point, recall by number of hits. */
async function recallsOf(
  at: Workplace,
  searching: Searching,
  built: BuiltIndex,
  exact: PassageHits,
  { split, depth }: Pick<SearchAsked, 'split' | 'depth'>,
): Promise<Record<string, number>[]> {
  const { index, queryEncoder, model } = searching;
  const queries = await at.dataset.queries(split);
  const { batchSize } = at.config.search;
  const vectors = new Float32Array(queries.length * index.dimensions);
  const values = valuesOf(built);
  const { progress } = at;
  const stage = progress.stage('recall', queries.length * (values.length + 1), 'queries');
  for (let first = 0; first < queries.length; first += batchSize) {
    const texts = queries.slice(first, first + batchSize).map(({ text }) => model.texts.query(text));
    vectors.set((await queryEncoder.encode(texts)).vectors, first * index.dimensions);
    stage.update(first + texts.length);
    progress.checkInterrupted();
  }
  const recalls: Record<string, number>[] = [];
  for (const [i, value] of values.entries()) {
    const searcher = await openAt(at, searching, built, value);
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
