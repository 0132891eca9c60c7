/** The architectures of `architectures/`, single-vector or not: trained, then encoded and searched. */
import { settingsOfTraining } from '../pipeline/settings-in-play.js';
import type { SystemKind } from '../pipeline/system.js';
import { hasFamily, listArchitectures, loadArchitecture } from '../plugins.js';

const architecture: SystemKind = {
  list: () => listArchitectures(),
  has: async (name) => hasFamily(name),
  async load(name) {
    const { family, pooling } = await loadArchitecture(name);
    return {
      name,
      summary: pooling === undefined ? family.summary : `${family.summary}; ${pooling.summary}`,
      isTrained: true,
      settings: settingsOfTraining,
      steps: () => import('../pipeline/trained.js'),
    };
  },
};

export default architecture;
