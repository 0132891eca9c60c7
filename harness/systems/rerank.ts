/** Two steps: `rerank:bm25>mlr-sc` puts the first hits of one system in the order of another's vectors, or of a cross-encoder's scores. */
import { composed } from '../pipeline/component-names.js';

export default composed('rerank', '>', 2, {
  summary: 'the first hits of one system, in the order that another gives them',
  steps: () => import('../pipeline/reranked.js'),
});
