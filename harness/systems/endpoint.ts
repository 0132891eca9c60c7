/** Servers that give vectors: `endpoint:URL`, asked as OpenAI's /v1/embeddings is. */
import { untrained } from '../pipeline/named-behind.js';

export default untrained(
  { prefix: 'endpoint:', what: 'the URL of a server', form: 'endpoint:URL' },
  ['endpoint'],
  {
    summary: 'vectors of a server, asked over the network',
    steps: () => import('../pipeline/endpoint.js'),
  },
);
