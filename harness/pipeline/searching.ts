/** An index that is open to be searched. */
import type { ShardSpan } from '../index/index-facts.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import type { Searcher } from '../search/search.js';
import type { Engine } from '../tensor/engine.js';
import { type BuiltIndex, builtSearch } from './built-index.js';
import { flatSearcher } from './choose-searcher.js';
import { openSearcher, searchBudget } from './open-searcher.js';
import type { Session } from './prepare.js';

/** Everything that stays open while query vectors are searched. */
export interface OpenSearch {
  engine: Engine;
  index: VectorIndex;
  searcher: Searcher;
  /** What is searched instead of the shards; absent where the index is Flat. */
  built?: BuiltIndex;
  /** What opening the index took. */
  buildSeconds: number;
}

/** @param folder of the shards @param built from them, to be searched instead @param span as `openIndex` has it */
export async function openSearching(
  { config }: Pick<Session, 'config'>,
  engine: Engine,
  folder: string,
  built?: BuiltIndex,
  span?: ShardSpan,
): Promise<OpenSearch> {
  const started = performance.now();
  const index = await openIndex(folder, span);
  const name = built === undefined ? await flatSearcher(config) : config.searcher;
  const searcher = await openSearcher(name, index, {
    engine,
    ...searchBudget(config),
    ...(built && { built: builtSearch(built) }),
  });
  const buildSeconds = (performance.now() - started) / 1000;
  return { engine, index, searcher, buildSeconds, ...(built && { built }) };
}

/** By point of the curve, what a search is told; a kind without a parameter is a curve of one point. */
export function valuesOf({ values }: Pick<BuiltIndex, 'values'>): readonly (number | undefined)[] {
  return values.length === 0 ? [undefined] : values;
}

/** What searches an index that was built, told one of its values. The caller disposes of it. */
export function openAt(
  { config }: Pick<Session, 'config'>,
  { engine, index }: Pick<OpenSearch, 'engine' | 'index'>,
  built: BuiltIndex,
  value: number | undefined,
): Promise<Searcher> {
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  return openSearcher(built.by.name, index, { engine, memoryBytes, built: builtSearch(built, value) });
}

export async function closeSearching({ index, searcher }: OpenSearch): Promise<void> {
  await searcher.dispose();
  await index.close();
}

/** That `auto` did not take the first of its choice, and what the searcher says of its searches so far. */
export function searcherRemarks({
  searcher: { name, fallback, remark },
}: {
  readonly searcher: Pick<Searcher, 'name' | 'fallback' | 'remark'>;
}): string[] {
  return [
    ...(fallback === undefined ? [] : [`searched with ${name}: ${fallback}`]),
    ...(remark === undefined ? [] : [remark]),
  ];
}
