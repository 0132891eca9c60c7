/** Architectures that need no training. */

/** How terms are weighed where nothing is trained. */
export interface SparseScoring {
  formula: 'bm25';
  k1: number;
  b: number;
  /** `exact`, or rounded as Lucene rounds them to a byte. */
  lengths: 'exact' | 'lucene';
  /** `porter`: Porter's of 1980; `english`: his later one, Porter2. */
  stemmer: 'porter' | 'english' | 'none';
  /** Whether Lucene's 33 English stop words are left out. */
  stopWords: boolean;
}

/** `architectures/sparse/NAME.ts` exports one of these by default: passages as bags of terms, nothing to train. */
export interface SparseArchitecture {
  /** One line for `bench list architectures`. */
  summary: string;
  /** What holds unless the configuration's `bm25.*` says otherwise. */
  scoring: SparseScoring;
}
