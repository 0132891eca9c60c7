/** How many of the exact hits an approximate search finds. */
import { readHits } from '../pipeline/hit-files.js';
import type { PassageHits } from '../search/search.js';
import { mean } from '../statistics/summary.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts } from './search.js';

/** Hits that recall is told at, beside all of them. */
const shortDepth = 10;

/**
 * Leaves, by point, recall by number of hits.
 * @param points hits of the index that was built, by what its search was told
 * @param exact hits of the same queries in the index Flat
 */
export function recall(
  system: string,
  points: readonly Stage<RunFacts>[],
  exact: Stage<RunFacts>,
  { dataset, code }: Pick<Known, 'dataset' | 'code'>,
): Stage<Record<string, number>[]> {
  return {
    name: 'recall',
    kind: 'findings',
    version: 'recall 4',
    needs: { exact, ...Object.fromEntries(points.map((point, i) => [`point ${i}`, point])) },
    inputs: () => code('recall', {}),
    about: { dataset: dataset.name, system },
    async make(_folder, at) {
      const wanted = await readHits(await at.made(exact));
      const depths = [...new Set([Math.min(shortDepth, wanted.depth), wanted.depth])];
      const recalls: Record<string, number>[] = [];
      for (const point of points) {
        const hits = await readHits(await at.made(point));
        recalls.push(Object.fromEntries(depths.map((k) => [k, recallAt(k, hits, wanted)])));
      }
      return recalls;
    },
  };
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
