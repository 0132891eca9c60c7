/** How long a search takes with each value of its parameter, and in the index Flat beside them. */
import type { Split } from '../contracts.js';
import type { QueryVectors } from '../index/query-vectors.js';
import { measureLatency, type SystemLatency } from '../latency/latency.js';
import type { Searcher } from '../search/search.js';
import type { Workbench } from '../stages/workbench.js';
import { bytesAt } from './built-index.js';
import { flatSearcher } from './choose-searcher.js';
import { openSearcher } from './open-searcher.js';
import { type OpenSearch, openAt, valuesOf } from './searching.js';
import { chosenQueries } from './timing.js';

export interface CurveTimes {
  /** In the order of the values. */
  points: readonly SystemLatency[];
  /** Of the index Flat; absent where it does not fit the memory. */
  exact?: SystemLatency;
}

/**
 * All take turns; where memory does not hold an index for each, as many at a time as it does.
 * @returns undefined where no query is to be timed
 */
export async function curveTimes(
  bench: Pick<Workbench, 'config' | 'dataset' | 'progress'>,
  searching: OpenSearch,
  encoded: QueryVectors,
  { split, seed }: { split: Split; seed: number },
): Promise<CurveTimes | undefined> {
  const { latency, search } = bench.config;
  const { engine, index } = searching;
  const built = searching.built!;
  const queries = await bench.dataset.queries(split);
  const chosen = chosenQueries([...queries.keys()], latency.queries, seed);
  if (chosen.length === 0) return undefined;
  const vectors: Float32Array[] = [];
  for (const place of chosen) vectors.push(await encoded.read(place, 1));
  const memoryBytes = search.memoryMiB * 2 ** 20;
  const values = valuesOf(built);
  const opening = values.map((value) => ({
    name: String(value),
    bytes: bytesAt(built, index, value),
    open: () => openAt(bench, searching, built, value),
  }));
  const flatBytes = 4 * index.vectors * index.dimensions;
  // A quarter of the budget is for hits; and what is read from the disk by every search is no time to compare with.
  const fits = flatBytes <= 0.75 * memoryBytes;
  const openFlat = async () => openSearcher(await flatSearcher(bench.config), index, { engine, memoryBytes });
  const all = fits ? [...opening, { name: 'Flat', bytes: flatBytes, open: openFlat }] : opening;
  const measured: SystemLatency[] = [];
  for (const turn of turnsOf(all, memoryBytes)) {
    const searchers: Searcher[] = [];
    try {
      for (const { open } of turn) searchers.push(await open());
      const { systems } = await measureLatency({
        systems: searchers.map((searcher, i) => ({
          name: turn[i]!.name,
          parts: [
            { name: 'search', run: (vector: Float32Array) => searcher.search(vector, 1, search.depth) },
          ],
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
  const points = measured.slice(0, values.length);
  return { points, ...(fits && { exact: measured.at(-1)! }) };
}

/** In their order, as many of them at a time as the memory holds of the largest: at least one. */
export function turnsOf<T extends { bytes: number }>(all: readonly T[], memoryBytes: number): T[][] {
  const atOnce = Math.max(1, Math.floor(memoryBytes / Math.max(...all.map(({ bytes }) => bytes))));
  const count = Math.ceil(all.length / atOnce);
  return Array.from({ length: count }, (_, turn) => all.slice(turn * atOnce, (turn + 1) * atOnce));
}
