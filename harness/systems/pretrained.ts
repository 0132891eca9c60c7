/** Models taken as they were published: `pretrained:FOLDER` or `pretrained:HUB-ID`. Nothing is trained. */
import { untrained } from '../pipeline/named-behind.js';

export default untrained(
  { prefix: 'pretrained:', what: 'a folder or an id of the hub', form: 'pretrained:FOLDER-OR-HUB-ID' },
  ['pretrained'],
  {
    summary: 'as it was published: pooling, normalization, prompts and length of its own files',
    steps: () => import('../pipeline/published.js'),
  },
);
