/** Learned sparse models, as they were published: `sparse:FOLDER` or `sparse:HUB-ID`. Nothing is trained. */
import { named } from '../pipeline/named-behind.js';
import { settingsOfWeights } from '../pipeline/settings-in-play.js';

export default named(
  { prefix: 'sparse:', what: 'a folder or an id of the hub', form: 'sparse:FOLDER-OR-HUB-ID' },
  settingsOfWeights,
  {
    summary: 'weights of tokens by a masked language model (SPLADE), searched exactly in an inverted index',
    steps: () => import('../pipeline/sparse.js'),
  },
);
