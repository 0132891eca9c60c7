/** The searcher `exact`: the vectors themselves on the engine, and smaller ones: cut, or in codes. */
import type { SearcherPlugin } from '../search/searcher.js';
import { buildIndex } from './exact/build.js';
import { CodeSearcher } from './exact/code-searcher.js';
import { CutSearcher } from './exact/cut-searcher.js';
import { ExactSearcher } from './exact/flat.js';
import { assertSettable, kindOf, kinds, parameters, searchedBytes } from './exact/kinds.js';

const exact: SearcherPlugin = {
  summary: 'matrix product and top-k on the engine; comes with bench',
  without: 'search only by other libraries',
  autoRank: 3,
  check: async () => 'matrix product and top-k on the engine',
  versions: ({ versions }) => versions,
  open: (index, { engine, ...budget }) => ExactSearcher.open(index, engine, budget),
  builder: {
    kinds,
    examples: { cut: 1, int8: 0.98, binary: 0.98, bounds: 1 },
    file: 'index.exact',
    trains: false,
    parameters,
    async assertKind(kind) {
      kindOf(kind);
    },
    assertSettable,
    searchedBytes,
    build: buildIndex,
    open(index, built, means) {
      const kind = kindOf(built.kind);
      return kind === 'cut'
        ? CutSearcher.open(index, built, means)
        : CodeSearcher.open(index, built, kind, means);
    },
  },
};
export default exact;
