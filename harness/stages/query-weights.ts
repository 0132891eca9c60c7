/** The weights of queries' tokens: by a learned sparse model, once for all that is searched with them. */
import { closing } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { Passage, Split } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { weightColumns } from '../index/token-weights.js';
import { modelOf, openQueryWeights } from '../pipeline/sparse-model.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import type { ModelNeed, Stage } from './graph.js';
import type { Known } from './known.js';
import { type SomeQueries, shardQueries } from './queries.js';

export interface QueryWeightFacts {
  queries: number;
  /** Of all queries. */
  weights: number;
}

/** Leaves an index of token weights, in the order of the queries; nothing where there are none. @param some of the split; all where absent */
export function queryWeights(
  model: ModelNeed,
  split: Split,
  config: Pick<BenchConfig, 'encode'>,
  { dataset, engine, computing, code }: Known,
  some?: SomeQueries,
): Stage<QueryWeightFacts> {
  const { batchTokens, memoryMiB, precision } = config.encode;
  return {
    name: 'queries',
    kind: 'queries',
    version: 'query weights 1',
    needs: { model: model.need },
    inputs: () => ({
      ...{ dataset: dataset.identity, split },
      ...code('sparse queries', { dataset, engine, precision, ...model.code }),
      ...computing,
      ...(some && { some: some.name }),
      // They decide which queries are padded together, and so the last bits.
      batches: { batchTokens, memoryMiB, shardQueries },
      ...otherPrecision(precision),
    }),
    about: { dataset: dataset.name, system: model.name },
    async make(folder, at) {
      const { dataset, engine, progress } = at;
      const queries = await (some === undefined ? dataset.queries(split) : some.of(dataset));
      if (queries.length === 0) return { queries: 0, weights: 0 };
      const opened = modelOf(await at.model(model));
      return closing(openQueryWeights(opened, engine, config.encode), async (encoder) => {
        const { vectors: weights } = await encodeCollection({
          passages: inTurn(queries),
          count: queries.length,
          encoder: {
            dimensions: weightColumns,
            mostVectors: opened.retriever.dimensions,
            async encode(window) {
              const { pairs, counts } = await encoder.encode(
                window.map(({ text }) => opened.texts.query(text)),
              );
              return { vectors: pairs, counts };
            },
          },
          vectorsPerPassage: 'varies',
          ...{ folder, progress, what: 'queries', shardPassages: shardQueries },
          memoryBytes: memoryMiB * 2 ** 20,
        });
        return { queries: queries.length, weights };
      });
    },
  };
}

/** Named by their places. */
async function* inTurn(queries: readonly { text: string }[]): AsyncGenerator<Passage> {
  for (const [i, { text }] of queries.entries()) yield { passageId: String(i), title: '', text };
}
