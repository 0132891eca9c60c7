/** The search of an index by spans of shards, as the stage makes it, without a stage. For tests. */
import { openIndex, type VectorIndex } from '../harness/index/vector-index.js';
import { readHits } from '../harness/pipeline/hit-files.js';
import type { PieceFacts } from '../harness/pipeline/hit-pieces.js';
import { openSearcher } from '../harness/pipeline/open-searcher.js';
import {
  mergeSpans,
  type SpanQueries,
  searchSpan,
  spanFolder,
  spansOf,
} from '../harness/pipeline/span-search.js';
import { silentProgress } from '../harness/progress.js';
import type { PassageHits } from '../harness/search/passage-hits.js';
import type { Engine } from '../harness/tensor/engine.js';
import type { Rows } from './made-index.js';

interface Searched {
  hits: PassageHits;
  facts: Awaited<ReturnType<typeof mergeSpans>>;
}

/** As the stage does it, with what it is told to search by. */
export class Spans {
  /** Spans that were opened. */
  readonly opened: number[] = [];
  readonly notes: string[] = [];

  constructor(
    readonly engine: Engine,
    readonly folder: string,
    readonly index: VectorIndex,
    readonly queries: Rows,
    readonly options: SpanQueries['options'],
    readonly searcher = 'exact',
    readonly memoryBytes = 1 << 28,
  ) {}

  get asked(): SpanQueries {
    const { values } = this.queries;
    const { dimensions } = this.queries;
    const count = values.length / dimensions;
    return {
      key: 'run',
      queries: Array.from({ length: count }, (_, q) => ({ queryId: `p${q}`, text: '' })),
      vectors: {
        read: async (first, n) => values.slice(first * dimensions, (first + n) * dimensions),
      },
      options: this.options,
      threads: 2,
      progress: { ...silentProgress(), note: (line) => this.notes.push(line) } as SpanQueries['progress'],
    };
  }

  get spans() {
    return spansOf(this.index.shards.length)!;
  }

  async piece(into: string, number: number): Promise<PieceFacts> {
    const { engine } = this;
    const span = this.spans[number]!;
    const { firstPassage } = this.index.shards[span.first]!;
    let index: VectorIndex | undefined;
    let searcher: Awaited<ReturnType<typeof openSearcher>> | undefined;
    const open = async () => {
      this.opened.push(number);
      index = await openIndex(this.index.folder, span);
      searcher = await openSearcher(this.searcher, index, { engine, memoryBytes: this.memoryBytes });
      return { engine, index, searcher, buildSeconds: 1 };
    };
    try {
      return await searchSpan(into, span, firstPassage, open, this.asked);
    } finally {
      await searcher?.dispose();
      await index?.close();
    }
  }

  async whole(): Promise<Searched> {
    const pieces = [];
    for (const [number, span] of this.spans.entries()) {
      const folder = spanFolder(this.folder, span);
      pieces.push({ folder, facts: await this.piece(folder, number) });
    }
    const identifiers = () => this.index.identifiers();
    const facts = await mergeSpans(this.folder, pieces, this.index.passages, identifiers, this.asked);
    return { facts, hits: await readHits({ folder: this.folder, facts, key: 'run', cached: false }) };
  }
}
