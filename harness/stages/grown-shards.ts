/** The shards of a collection with distractors: those of the base, and behind them the first of the distractors'. */
import { joinShards } from '../index/joined-shards.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';

/** Nothing is encoded: files are linked. @param count how many of the distractors there are */
export function grownShards(
  base: Stage,
  distractors: Stage,
  count: number,
  system: string,
  { dataset, code }: Known,
): Stage<{ vectors: number }> {
  return {
    name: 'join shards',
    kind: 'shards',
    version: 'grown shards 1',
    needs: { base, distractors },
    inputs: () => ({ ...code('grown shards', {}), count }),
    about: { dataset: dataset.name, system },
    async make(folder, at) {
      const parts = [await at.folderOf(base), await at.folderOf(distractors)] as const;
      return { vectors: (await joinShards(folder, ...parts, count)).vectors };
    },
  };
}
