/** Encoding queries, as a stage: once for all that is searched with them. */
import type { Query, Split } from '../contracts.js';
import { encodeQueries } from '../encode/queries.js';
import type { QueryVectorFacts } from '../index/query-vectors.js';
import type { Progress } from '../progress.js';
import { keyOf } from '../store/hash.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { engineIdentity } from './identity.js';
import { type OpenModel, openEncoder } from './open-model.js';
import type { Prepared } from './prepare.js';
import { stageCode } from './stage-code.js';

/** Read by `QueryVectors`. */
export type EncodedQueries = Artifact<QueryVectorFacts>;

/** So many queries, or a few more, are encoded again where a run was killed. */
const shardQueries = 4096;

/** @param queries of the split, in whose order the vectors are: all, or some; all where absent */
export async function queryStage(
  { config, store, dataset }: Prepared,
  model: OpenModel,
  engine: Engine,
  { split, queries: some }: { split: Split; queries?: readonly Query[] },
  progress: Progress,
): Promise<EncodedQueries> {
  const queries = some ?? (await dataset.queries(split));
  const { batchSize } = config.search;
  const { batchTokens } = config.encode;
  const inputs = {
    made: 'query vectors 1',
    checkpoint: model.key,
    split,
    queries: keyOf(queries.map(({ queryId, text }) => [queryId, text])),
    code: stageCode('queries', { engine, ...model.code }),
    // They decide which queries are padded together, and so the last bits.
    batches: { batchSize, batchTokens },
    engine: engineIdentity(engine),
  };
  return store.artifact(
    'queries',
    inputs,
    async (folder) => {
      const encoder = openEncoder(model, 'query', engine, config.encode);
      try {
        return await encodeQueries({
          queries,
          tokenize: model.texts.query,
          encoder,
          batchSize,
          shardQueries: batchSize * Math.ceil(shardQueries / batchSize),
          folder,
          progress,
        });
      } finally {
        await encoder.dispose();
      }
    },
    { dataset: dataset.name, system: model.name },
  );
}
