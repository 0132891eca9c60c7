/** A server's vectors as artifacts: in shards that are each whole or absent, so that a killed run goes on. */
import type { BenchConfig } from '../config/config.js';
import type { Dataset, Passage, Split } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { encodeQueries } from '../encode/queries.js';
import { embeddingsUrl } from '../endpoint/client.js';
import type { QueryVectorFacts } from '../index/query-vectors.js';
import { readIndexFacts } from '../index/vector-index.js';
import type { EndpointVectors } from '../pipeline/endpoint-vectors.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import { type SomeQueries, shardQueries } from './queries.js';
import type { VectorSource } from './systems.js';

interface EndpointNeed {
  /** The name of the system. */
  name: string;
  /** As a user names it. */
  url: string;
  open(): EndpointVectors;
}

interface EndpointFacts {
  vectors: number;
  /** The model that the server said it asked. */
  served: string | null;
}

export function endpointVectors(
  server: EndpointNeed,
  config: Pick<BenchConfig, 'encode' | 'endpoint'>,
): Omit<VectorSource, 'passages'> & { passages(of: Known): Stage<EndpointFacts> } {
  const passages = (of: Known) => askPassages(server, config, of);
  return {
    ...{ name: server.name, passages },
    queries: (split, of, some) => askQueries(server, passages(of), split, config, of, some),
  };
}

/** What the server computes cannot be known: its address and what it is asked stand for it. */
const identityOf = (url: string, { model, similarity }: BenchConfig['endpoint'], prompt: string) => ({
  endpoint: { url: embeddingsUrl(url).href, model, similarity, prompt },
});

function askPassages(
  { name, url, open }: EndpointNeed,
  { encode: { shardPassages, memoryMiB }, endpoint }: Pick<BenchConfig, 'encode' | 'endpoint'>,
  { dataset, code }: Known,
): Stage<EndpointFacts> {
  return {
    name: 'encode',
    kind: 'shards',
    version: 'endpoint shards 2',
    needs: {},
    inputs: () => ({
      ...identityOf(url, endpoint, endpoint.passagePrompt),
      dataset: dataset.identity,
      ...code('endpoint vectors', { dataset }),
      shardPassages,
    }),
    about: { dataset: dataset.name, system: name },
    async make(folder, { dataset, progress }) {
      const server = open();
      // The server alone knows how long its vectors are.
      const dimensions = (await server.passages([await firstOf(dataset)])).length;
      const { vectors } = await encodeCollection({
        passages: dataset.passages(),
        count: dataset.passageCount,
        encoder: {
          ...{ dimensions, mostVectors: 1 },
          encode: async (passages) => ({
            vectors: await server.passages(passages, dimensions),
            counts: new Int32Array(passages.length).fill(1),
          }),
        },
        ...{ vectorsPerPassage: 1, folder, shardPassages, progress },
        memoryBytes: memoryMiB * 2 ** 20,
      });
      return { vectors, served: server.served };
    },
  };
}

async function firstOf(dataset: Dataset): Promise<Passage> {
  for await (const passage of dataset.passages()) return passage;
  throw new TypeError(`${dataset.name} has no passages`);
}

/** @param passages whose vectors those of queries have to fit */
function askQueries(
  { name, url, open }: EndpointNeed,
  passages: Stage<EndpointFacts>,
  split: Split,
  { endpoint }: Pick<BenchConfig, 'endpoint'>,
  { dataset, code }: Known,
  some?: SomeQueries,
): Stage<QueryVectorFacts> {
  return {
    name: 'queries',
    kind: 'queries',
    version: 'endpoint query vectors 1',
    needs: { passages },
    inputs: () => ({
      ...identityOf(url, endpoint, endpoint.queryPrompt),
      ...{ dataset: dataset.identity, split },
      ...code('endpoint vectors', { dataset }),
      ...(some && { some: some.name }),
    }),
    about: { dataset: dataset.name, system: name },
    async make(folder, at) {
      const { dataset, progress } = at;
      const { dimensions } = await readIndexFacts(await at.folderOf(passages));
      const server = open();
      return encodeQueries({
        queries: await (some === undefined ? dataset.queries(split) : some.of(dataset)),
        dimensions,
        encode: (batch) => server.queries(batch, dimensions),
        ...{ batchSize: queriesAtOnce, folder, progress },
        shardQueries: queriesAtOnce * Math.ceil(shardQueries / queriesAtOnce),
      });
    },
  };
}

/** Requests of many texts are under way at once; between these a run may be stopped. */
const queriesAtOnce = 1024;
