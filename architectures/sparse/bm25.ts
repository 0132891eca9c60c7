/** BM25 (Robertson and others, 1994) with Anserini's parameters: the baseline that needs no training. */
import type { SparseArchitecture } from '../../harness/contracts.js';

const bm25: SparseArchitecture = {
  summary: 'no training: BM25 over stemmed English words, title and text, scored as Lucene scores',
  scoring: { formula: 'bm25', k1: 0.9, b: 0.4, lengths: 'exact', stemmer: 'porter', stopWords: true },
};

export default bm25;
