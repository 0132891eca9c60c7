/** Two steps: `rerank:bm25>mlr-sc` puts the first hits of one system in the order of another's vectors. */
import { componentsOf, settingsOf } from '../pipeline/component-names.js';
import type { SystemKind } from '../pipeline/system.js';

const prefix = 'rerank:';

const rerank: SystemKind = {
  list: async () => [],
  has: async (name) => name.startsWith(prefix),
  async load(name) {
    const components = await componentsOf(name, '>', 2);
    return {
      name,
      summary: 'the first hits of one system, in the order of the vectors of another',
      isTrained: components.some(({ isTrained }) => isTrained),
      components: components.map((each) => each.name),
      ...settingsOf(components, 'rerank'),
      steps: () => import('../pipeline/reranked.js'),
    };
  },
};

export default rerank;
