/** The searcher `usearch`: HNSW graphs over vectors in 32, 16 or 8 bits. */
import type { SearcherPlugin } from '../search/searcher.js';
import { buildIndex } from './usearch/build.js';
import { UsearchSearcher } from './usearch/built.js';
import { assertSettable, graphOf, kinds, ownEfSearch } from './usearch/graph.js';
import { loadUsearch, usearchVersion } from './usearch/library.js';

const usearch: SearcherPlugin = {
  summary: 'HNSW graphs by USearch; comes with bench, prebuilt for Linux and macOS',
  without: 'no graph index but those of FAISS',
  autoRank: 2,
  async check() {
    await loadUsearch();
    return `HNSW in f32, f16 and i8, usearch ${usearchVersion()}`;
  },
  versions: () => ({ usearch: usearchVersion() }),
  builder: {
    kinds,
    examples: { HNSW32: 0.98, 'HNSW32,f16': 0.98, 'HNSW32,i8': 0.9 },
    file: 'index.usearch',
    trains: false,
    parameters: {
      efSearch: {
        description: `candidates kept per query; ${ownEfSearch} where nothing is said`,
        type: 'integer',
        minimum: 1,
        maximum: 2 ** 31 - 1,
      },
    },
    async assertKind(kind) {
      graphOf(kind);
    },
    assertSettable,
    build: buildIndex,
    open: (index, built, means) => UsearchSearcher.open(index, built, means),
  },
};
export default usearch;
