/** Models taken as they were published: `pretrained:FOLDER` or `pretrained:HUB-ID`. Nothing is trained. */
import { assertNamed } from '../pipeline/named-behind.js';
import type { SystemKind } from '../pipeline/system.js';

const prefix = 'pretrained:';

const pretrained: SystemKind = {
  // Any folder and any name of the hub: there is no list.
  list: async () => [],
  has: async (name) => name.startsWith(prefix),
  async load(name) {
    assertNamed(name, prefix, 'a folder or an id of the hub');
    return {
      name,
      summary: 'as it was published: pooling, normalization, prompts and length of its own files',
      isTrained: false,
      settings: [
        ...([
          'preset',
          'pretrained',
          'encode',
          'index',
          'search',
          'searcher',
          'engine',
          'device',
          'threads',
        ] as const),
        ...(['latency', 'answering', 'measures', 'measure', 'seeds', 'cache', 'out', 'keep'] as const),
      ],
      steps: () => import('../pipeline/published.js'),
    };
  },
};

export default pretrained;
