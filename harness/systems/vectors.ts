/** Vectors made elsewhere: `vectors:FOLDER` holds those of passages and queries, which are searched and measured as ours. */
import { untrained } from '../pipeline/named-behind.js';

export default untrained(
  { prefix: 'vectors:', what: 'the folder of the vectors', form: 'vectors:FOLDER' },
  ['vectors'],
  {
    summary: 'vectors made elsewhere, read from files',
    steps: () => import('../pipeline/given.js'),
  },
);
