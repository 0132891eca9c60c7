/** Vectors made elsewhere: `vectors:FOLDER` holds those of passages and queries, which are searched and measured as ours. */
import { assertNamed } from '../pipeline/named-behind.js';
import type { SystemKind } from '../pipeline/system.js';

const prefix = 'vectors:';

const vectors: SystemKind = {
  // Any folder: there is no list.
  list: async () => [],
  has: async (name) => name.startsWith(prefix),
  async load(name) {
    assertNamed(name, prefix, 'the folder of the vectors');
    return {
      name,
      summary: 'vectors made elsewhere, read from files',
      isTrained: false,
      settings: [
        ...(['preset', 'vectors', 'encode', 'index', 'search', 'searcher', 'engine', 'threads'] as const),
        ...(['latency', 'answering', 'measures', 'measure', 'seeds', 'cache', 'out', 'keep'] as const),
      ],
      steps: () => import('../pipeline/given.js'),
    };
  },
};

export default vectors;
