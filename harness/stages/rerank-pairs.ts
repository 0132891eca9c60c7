/** Putting the first hits of a run in the order of a cross-encoder's scores. */
import { closing } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import { PassageTexts } from '../index/passage-texts.js';
import { HitParts, readHits } from '../pipeline/hit-files.js';
import { groupQueries, PairScorer } from '../pipeline/pair-scorer.js';
import type { CrossContent, OpenCross } from '../pipeline/published-cross.js';
import { inParts } from '../pipeline/query-search.js';
import { conditionsHere } from '../pipeline/whole-index.js';
import { hitsOfRange } from '../search/passages.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import type { Given, Stage } from './graph.js';
import type { Known } from './known.js';
import { passageTexts } from './passage-texts.js';
import type { RerankSettings } from './rerank.js';
import type { RunFacts } from './search.js';

/** A cross-encoder, by its files. */
export interface CrossNeed {
  readonly need: Given;
  readonly code: Partial<CrossContent['code']>;
  open(): Promise<OpenCross>;
}

/** @param run of the first system @param system the name of both */
export function rerankPairs(
  run: Stage<RunFacts>,
  model: CrossNeed,
  { split, reranked, depth }: RerankSettings,
  { encode: { batchTokens, precision } }: Pick<BenchConfig, 'encode'>,
  system: string,
  known: Known,
): Stage<RunFacts> {
  const { dataset, engine, computing, code } = known;
  const texts = passageTexts(known);
  return {
    name: 'rerank',
    kind: 'runs',
    version: 'run of pairs 1',
    needs: { run, model: model.need, texts },
    inputs: () => ({
      ...code('rerank pairs', { dataset, engine, precision, ...model.code }),
      ...computing,
      ...{ split, reranked, depth },
      // It decides which pairs are padded together, and so the last bits.
      batchTokens,
      ...otherPrecision(precision),
    }),
    about: { dataset: dataset.name, system },
    async make(folder, at, key) {
      const { dataset, progress, config, engine } = at;
      const found = await readHits(await at.made(run));
      const asked = await dataset.queries(split);
      const memoryBytes = config.search.memoryMiB * 2 ** 20;
      const started = performance.now();
      return closing(await PassageTexts.open(await at.folderOf(texts), memoryBytes), async (passages) => {
        const opened = await model.open();
        const scorer = new PairScorer(opened, passages, engine, { batchTokens, precision });
        const buildSeconds = (performance.now() - started) / 1000;
        const conditions = await conditionsHere(engine.threads);
        const partQueries = groupQueries(reranked);
        const made = { key, batchSize: partQueries, partQueries, conditions };
        const parts = await HitParts.open(folder, made, progress.note);
        const pairsOf = (first: number, count: number) =>
          found.counts
            .subarray(first, first + count)
            .reduce((sum, hits) => sum + Math.min(hits, reranked), 0);
        const stage = progress.stage('rerank', pairsOf(0, asked.length), 'pairs');
        try {
          await inParts(asked, parts, async (part, before) => {
            progress.checkInterrupted();
            const done = pairsOf(0, before);
            const own = hitsOfRange(found, before, part.length);
            const began = performance.now();
            const queries = part.map((query) => scorer.queryTokens(query));
            const hits = await scorer.rerank(queries, own, { reranked, depth }, (pairs) => {
              stage.update(done + pairs);
              progress.checkInterrupted();
            });
            return { hits: [hits], seconds: (performance.now() - began) / 1000 };
          });
        } finally {
          await scorer.dispose();
          engine.release(opened.weights);
        }
        stage.end();
        await parts.join();
        const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
        return { queries: asked.length, depth: parts.depth, searcher: 'cross-encoder', execution };
      });
    },
  };
}
