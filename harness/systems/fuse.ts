/** Hybrids: `fuse:bm25+mlr-sc` makes one list of what several systems find. */
import { composed } from '../pipeline/component-names.js';

export default composed('fuse', '+', Infinity, {
  summary: 'one list of those of its systems, by their ranks or by weighted scores',
  steps: () => import('../pipeline/fused.js'),
});
