/** Servers that give vectors: `endpoint:URL`, asked as OpenAI's /v1/embeddings is. */
import { assertNamed } from '../pipeline/named-behind.js';
import type { SystemKind } from '../pipeline/system.js';

const prefix = 'endpoint:';

const endpoint: SystemKind = {
  // Any server: there is no list.
  list: async () => [],
  has: async (name) => name.startsWith(prefix),
  async load(name) {
    assertNamed(name, prefix, 'the URL of a server');
    return {
      name,
      summary: 'vectors of a server, asked over the network',
      isTrained: false,
      settings: [
        ...(['preset', 'endpoint', 'encode', 'index', 'search', 'searcher', 'engine', 'threads'] as const),
        ...(['latency', 'answering', 'measures', 'measure', 'seeds', 'cache', 'out', 'keep'] as const),
      ],
      steps: () => import('../pipeline/endpoint.js'),
    };
  },
};

export default endpoint;
