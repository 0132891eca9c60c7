/** Settings of systems that are put together of others, or made elsewhere. */

/** How systems `fuse:A+B` make one list of several. */
export interface FuseConfig {
  method: 'rrf' | 'weighted';
  /** Of reciprocal rank fusion. */
  constant: number;
  /** In the order of the systems; null gives all the same. */
  weights: number[] | null;
  normalization: 'none' | 'min-max' | 'z-score';
  /** Hits taken of each system; null is `search.depth`. */
  depth: number | null;
}

export interface RerankConfig {
  /** Hits of the first system that get a new order; null is `search.depth`. */
  depth: number | null;
}

/** What the files of a published cross-encoder say, unless it is set. */
export interface CrossConfig {
  /** Longest pair in tokens. */
  maxTokens: number | null;
}

/** What shall hold of a learned sparse model instead of what its files say; null leaves it to them. */
export interface SparseConfig {
  queryPrompt: string | null;
  passagePrompt: string | null;
  /** Longest text in tokens. */
  maxTokens: number | null;
  /** The largest weights of a query, or of a passage, that are kept; all where neither this nor the files say. */
  queryWeights: number | null;
  passageWeights: number | null;
}

/** What vectors made elsewhere do not say of themselves. */
export interface VectorsConfig {
  similarity: 'dot' | 'cosine' | null;
}

/** How a server is asked for vectors. */
export interface EndpointConfig {
  /** As the server calls it. */
  model: string | null;
  similarity: 'dot' | 'cosine';
  queryPrompt: string;
  passagePrompt: string;
  /** Texts per request. */
  batchSize: number;
  /** Requests under way at once. */
  concurrency: number;
  /** Null sends as many as the server answers. */
  requestsPerMinute: number | null;
  /** Attempts after the first. */
  retries: number;
  /** Seconds until an answer must be there. */
  timeoutSeconds: number;
}
