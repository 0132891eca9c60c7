/** Two steps: `rerank:bm25>mlr-sc` puts the first hits of one system in the order of another's vectors. */
import { composed } from '../pipeline/component-names.js';

export default composed('rerank', '>', 2, {
  summary: 'the first hits of one system, in the order of the vectors of another',
  steps: () => import('../pipeline/reranked.js'),
});
