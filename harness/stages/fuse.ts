/** Making one run of several. */
import { HitParts, readHits } from '../pipeline/hit-files.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import { type Fusion, fuseHits } from '../search/fuse.js';
import type { PassageHits } from '../search/search.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts } from './search.js';

export interface FuseSettings {
  fusion: Fusion;
  /** Hits per query that are kept. */
  depth: number;
}

/** @param runs of the same queries, one per system @param system its name */
export function fuse(
  runs: readonly Stage<RunFacts>[],
  { fusion, depth }: FuseSettings,
  system: string,
  { dataset, code }: Known,
): Stage<RunFacts> {
  return {
    name: 'fuse',
    kind: 'runs',
    version: 'fused run 1',
    needs: Object.fromEntries(runs.map((run, i) => [`run ${i + 1}`, run])),
    inputs: () => ({ ...code('fuse', {}), fusion, depth }),
    about: { dataset: dataset.name, system },
    async make(folder, at, key) {
      const lists: PassageHits[] = [];
      for (const run of runs) lists.push(await readHits(await at.made(run)));
      const started = performance.now();
      const hits = fuseHits(lists, fusion, depth);
      const seconds = (performance.now() - started) / 1000;
      const queries = hits.counts.length;
      const conditions = await conditionsHere(1);
      const parts = await HitParts.open(folder, { key, batchSize: 1, partQueries: queries, conditions });
      if (parts.queries < queries) await parts.add([hits], seconds);
      await parts.join();
      const execution = { buildSeconds: 0, searchSeconds: parts.seconds, conditions };
      return { queries, depth: hits.depth, searcher: 'fuse', execution };
    },
  };
}
