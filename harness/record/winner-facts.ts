/** Which vector of a passage scored best: the paper's analysis of layers, section 4.2.2. */

/** Vectors are named by their place in `vectors`, from 0. */
export interface WinnerFacts {
  /** What the rows of E(d) are: `layer 12`, `token 3`. */
  readonly vectors: readonly string[];
  /** How often each won, over all hits of all queries. */
  readonly histogram: readonly number[];
  /** Of each query's first hit, in the order of the dataset's queries; null where there is none. */
  readonly topHit: readonly (number | null)[];
  /** Of each query's first relevant hit; null where none was found. */
  readonly gold: readonly (number | null)[];
  /** Of each query's first hit that holds an answer; absent where none was sought. */
  readonly answer?: readonly (number | null)[];
  /** On the gold passages of dev; absent where there are no dev queries. */
  readonly dev?: DevWinnerFacts;
}

/** How often each vector wins on the gold passages of dev, by place in `vectors`; the sum is the number of queries. */
export interface DevWinnerFacts {
  /** On the positive: the first passage that is judged relevant. */
  readonly qrels: readonly number[];
  /** On the relevant passage that scores best of those that hold an answer; absent where queries have no answers. */
  readonly answers?: readonly number[];
}
