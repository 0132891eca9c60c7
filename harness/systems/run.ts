/** Runs made elsewhere: `run:FILE` holds the hits of every query, which are measured, fused and put in order as those found here. */
import { named } from '../pipeline/named-behind.js';

export default named(
  { prefix: 'run:', what: 'a file of hits', form: 'run:FILE' },
  ['preset', 'unpack', 'search', 'measures', 'measure', 'seeds', 'cache', 'out', 'keep'],
  {
    summary: 'hits made elsewhere, read from a file of any format that bench evaluate reads',
    steps: () => import('../pipeline/given-run.js'),
  },
);
