/** BM25 (Robertson and others, 1994) with Anserini's parameters: the baseline that needs no training. */
import { usualSettings } from '../pipeline/settings-in-play.js';
import type { SystemKind } from '../pipeline/system.js';

const listing = {
  name: 'bm25',
  summary: 'no training: BM25 over stemmed English words, title and text, scored as Lucene scores',
};

const bm25: SystemKind = {
  list: async () => [listing],
  has: async (name) => name === listing.name,
  load: async () => ({
    ...listing,
    isTrained: false,
    settings: [...usualSettings, 'bm25'],
    steps: () => import('../pipeline/bm25.js'),
  }),
};

export default bm25;
