/** Encoding queries: once for all that is searched with them. */

import { closing } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { Dataset, Query, Split } from '../contracts.js';
import { encodeQueries } from '../encode/queries.js';
import type { QueryVectorFacts } from '../index/query-vectors.js';
import { openEncoder } from '../pipeline/open-model.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import type { ModelNeed, Stage } from './graph.js';
import type { Known } from './known.js';

/** So many queries, or a few more, are encoded again where a run was killed. */
export const shardQueries = 4096;

/** Some of the queries of a split. */
export interface SomeQueries {
  /** Tells them from others of the split. */
  name: string;
  of(dataset: Dataset): Promise<readonly Query[]>;
}

/** Leaves what `QueryVectors` reads, in the order of the queries. @param some of the split; all where absent */
export function queries(
  model: ModelNeed,
  split: Split,
  config: Pick<BenchConfig, 'search' | 'encode'>,
  { dataset, engine, computing, code }: Known,
  some?: SomeQueries,
): Stage<QueryVectorFacts> {
  const { batchSize } = config.search;
  const { batchTokens, precision } = config.encode;
  return {
    name: 'queries',
    kind: 'queries',
    version: 'query vectors 2',
    needs: { model: model.need },
    inputs: () => ({
      ...{ dataset: dataset.identity, split },
      ...code('queries', { dataset, engine, precision, ...model.code }),
      ...computing,
      ...(some && { some: some.name }),
      // They decide which queries are padded together, and so the last bits.
      batches: { batchSize, batchTokens },
      ...otherPrecision(precision),
    }),
    about: { dataset: dataset.name, system: model.name },
    async make(folder, at) {
      const { dataset, engine, progress } = at;
      const opened = await at.model(model);
      const encoder = openEncoder(opened, 'query', engine, { batchTokens, precision });
      return closing(encoder, async () => {
        return await encodeQueries({
          queries: await (some === undefined ? dataset.queries(split) : some.of(dataset)),
          dimensions: opened.retriever.dimensions,
          encode: async (batch) =>
            (await encoder.encode(batch.map(({ text }) => opened.texts.query(text)))).vectors,
          ...{ batchSize, folder, progress },
          shardQueries: batchSize * Math.ceil(shardQueries / batchSize),
        });
      });
    },
  };
}
