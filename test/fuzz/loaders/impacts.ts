/** Indexes of impacts: what `sparse:` searches. */
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { openImpactIndex } from '../../../harness/index/impact-index.js';
import { writeImpactIndex } from '../../../harness/index/impact-writer.js';
import { ImpactSearcher } from '../../../harness/search/impacts.js';
import { madeWeights, pairsOf, shardsOf, tokens } from '../../made-impacts.js';
import { type Files, type Loader, UnfitResult } from '../loader.js';
import { written } from '../valid-files.js';

const passages = 20;
const queries = pairsOf(madeWeights(4, 'fuzzed queries'));

const impactFiles = (): Promise<Files> =>
  written(async (folder) => {
    const shards = path.join(folder, 'shards');
    const weights = await shardsOf(shards, madeWeights(passages, 'fuzz'));
    await mkdir(folder, { recursive: true });
    await writeImpactIndex({ weights, tokens, folder });
    await weights.close();
    await rm(shards, { recursive: true });
  });

const loaders: readonly Loader[] = [
  {
    name: 'impact-index',
    inputs: async () => [await impactFiles()],
    codes: ['CACHE_INVALID', 'PATH_INVALID'],
    async load(folder) {
      for (const memoryBytes of [0, 1 << 20]) {
        const index = await openImpactIndex(folder, memoryBytes);
        try {
          const identifiers = await index.identifiers();
          const { counts, depth, ordinals } = await new ImpactSearcher(index).search(queries, 5);
          for (const [q, count] of counts.entries()) {
            // Of weights that are no numbers the hash of the artifact tells.
            const own = ordinals.subarray(q * depth, q * depth + count);
            if (new Set(own).size !== own.length) throw new UnfitResult(`the passages ${own}`);
            for (const ordinal of own) identifiers.at(ordinal);
          }
        } finally {
          await index.close();
        }
      }
    },
  },
];

export default loaders;
