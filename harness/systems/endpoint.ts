/** Servers that give vectors: `endpoint:URL`, asked as OpenAI's /v1/embeddings is. */
import { untrained } from '../pipeline/named-behind.js';

export default untrained('endpoint:', 'the URL of a server', ['endpoint'], {
  summary: 'vectors of a server, asked over the network',
  steps: () => import('../pipeline/endpoint.js'),
});
