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
