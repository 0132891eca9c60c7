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

/** What vectors made elsewhere do not say of themselves. */
export interface VectorsConfig {
  similarity: 'dot' | 'cosine' | null;
}
