/** The index of terms: what BM25 is searched in, and what its negatives come from. */
import type { BenchConfig } from '../config/config.js';
import type { SparseScoring } from '../contracts.js';
import type { Bm25Facts } from '../index/bm25-index.js';
import { writeBm25Index } from '../index/bm25-writer.js';
import { wrongCount } from '../index/passage-count.js';
import { EnglishAnalyzer } from '../text/english-analyzer.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';

/** What holds unless the configuration's `bm25.*` says otherwise: Anserini's. */
const usualScoring: SparseScoring = {
  formula: 'bm25',
  k1: 0.9,
  b: 0.4,
  lengths: 'exact',
  stemmer: 'porter',
  stopWords: true,
};

export function scoringOf({ bm25 }: Pick<BenchConfig, 'bm25'>): SparseScoring {
  const chosen = Object.entries(bm25).filter(([, value]) => value !== null);
  return { ...usualScoring, ...Object.fromEntries(chosen) };
}

/** k1, b and the rounding of lengths belong to the search and make no new index. */
export function indexTerms(
  { stemmer, stopWords }: SparseScoring,
  { dataset, code }: Known,
): Stage<Bm25Facts> {
  return {
    name: 'index',
    kind: 'indexes',
    version: 'bm25 index 1',
    needs: {},
    inputs: () => ({
      dataset: dataset.identity,
      ...code('bm25 index', { dataset }),
      analyzer: { stemmer, stopWords },
    }),
    about: { dataset: dataset.name },
    async make(folder, { dataset, progress }) {
      const stage = progress.stage('index', dataset.passageCount, 'passages');
      const facts = await writeBm25Index({
        passages: dataset.passages(),
        analyzer: await EnglishAnalyzer.open({ stemmer, stopWords }),
        folder,
        onProgress(passages) {
          stage.update(passages);
          progress.checkInterrupted();
        },
      });
      stage.end();
      if (facts.passages !== dataset.passageCount)
        throw wrongCount(dataset.passageCount, String(facts.passages));
      return facts;
    },
  };
}
