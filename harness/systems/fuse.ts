/** Hybrids: `fuse:bm25+mlr-sc` makes one list of what several systems find. */
import { componentsOf, settingsOf } from '../pipeline/component-names.js';
import type { SystemKind } from '../pipeline/system.js';

const prefix = 'fuse:';

const fuse: SystemKind = {
  list: async () => [],
  has: async (name) => name.startsWith(prefix),
  async load(name) {
    const components = await componentsOf(name, '+');
    return {
      name,
      summary: 'one list of those of its systems, by their ranks or by weighted scores',
      isTrained: components.some(({ isTrained }) => isTrained),
      components: components.map((each) => each.name),
      ...settingsOf(components, 'fuse'),
      steps: () => import('../pipeline/fused.js'),
    };
  },
};

export default fuse;
