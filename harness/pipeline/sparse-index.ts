/** The index of terms, as a stage: what an architecture without training is searched in, and what BM25 negatives come from. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, SparseScoring } from '../contracts.js';
import type { Bm25Facts } from '../index/bm25-index.js';
import { writeBm25Index } from '../index/bm25-writer.js';
import type { Progress } from '../progress.js';
import type { Artifact, Store } from '../store/store.js';
import { EnglishAnalyzer } from '../text/english-analyzer.js';
import { datasetIdentity } from './identity.js';
import { stageCode } from './stage-code.js';

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

/** Indexes the collection; k1, b and the rounding of lengths belong to the search and make no new index. */
export function sparseIndexStage(
  dataset: Dataset,
  store: Store,
  { stemmer, stopWords }: SparseScoring,
  progress: Progress,
): Promise<Artifact<Bm25Facts>> {
  const inputs = {
    made: 'bm25 index 1',
    dataset: datasetIdentity(dataset),
    code: stageCode('bm25 index', { dataset }),
    analyzer: { stemmer, stopWords },
  };
  return store.artifact(
    'indexes',
    inputs,
    async (folder) => {
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
      return facts;
    },
    { dataset: dataset.name },
  );
}
