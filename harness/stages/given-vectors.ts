/** Vectors made elsewhere as artifacts of our own: passages in the order of the collection, queries in that of their split. */
import { closing } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import type { Split } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { encodeQueries } from '../encode/queries.js';
import { changedWhileRead } from '../errors.js';
import type { QueryVectorFacts } from '../index/query-vectors.js';
import { GivenQueries, GivenRows, rowsOfPassages } from '../pipeline/given-rows.js';
import { contentKey, type GivenVectors } from '../pipeline/given-vectors.js';
import { unfinishedFolder } from '../store/unfinished.js';
import type { Given, Stage } from './graph.js';
import type { Known } from './known.js';
import { type SomeQueries, shardQueries } from './queries.js';
import type { VectorSource } from './systems.js';

/** A folder of them. */
interface GivenNeed {
  /** Its key is that of its files, and of how its vectors are compared. */
  need: Given;
  /** The name of the system. */
  name: string;
  open(): Promise<GivenVectors>;
}

export function givenVectors(given: GivenNeed, { encode }: Pick<BenchConfig, 'encode'>): VectorSource {
  return {
    name: given.name,
    passages: (of) => readPassages(given, encode, of),
    queries: (split, of, some) => readQueries(given, split, of, some),
  };
}

function readPassages(
  { need, name, open }: GivenNeed,
  { shardPassages, memoryMiB }: BenchConfig['encode'],
  { dataset, code }: Known,
): Stage<{ vectors: number }> {
  return {
    name: 'encode',
    kind: 'shards',
    version: 'given shards 2',
    needs: { given: need },
    inputs: () => ({ dataset: dataset.identity, ...code('given vectors', { dataset }), shardPassages }),
    about: { dataset: dataset.name, system: name },
    async make(folder, { dataset, progress }) {
      const given = await open();
      const places = await rowsOfPassages(given, dataset);
      return closing(await GivenRows.open(given, 'passages'), async (reader) => {
        if (places !== undefined) await reader.rows.inAnyOrder(unfinishedFolder(folder));
        const { vectors } = await encodeCollection({
          passages: dataset.passages(),
          count: dataset.passageCount,
          encoder: {
            dimensions: given.dimensions,
            mostVectors: 1,
            encode: async ({ length }, first) => ({
              vectors: await rowsAt(reader, places, first, length),
              counts: new Int32Array(length).fill(1),
            }),
          },
          ...{ vectorsPerPassage: 1, folder, shardPassages, progress },
          memoryBytes: memoryMiB * 2 ** 20,
        });
        await assertStill(given, need);
        return { vectors };
      });
    },
  };
}

/** Read by the name of what was there when they were hashed. @throws BenchError DATA_INVALID */
async function assertStill(given: GivenVectors, { key }: Given): Promise<void> {
  if ((await contentKey(given)) !== key) throw changedWhileRead(given.folder);
}

/** The vectors of passages that follow one another in the collection. @param places row by ordinal, where they differ */
async function rowsAt(
  reader: GivenRows,
  places: Int32Array | undefined,
  first: number,
  count: number,
): Promise<Float32Array> {
  if (places === undefined) return reader.read(first, count);
  const { dimensions } = reader.rows;
  const vectors = new Float32Array(count * dimensions);
  for (let i = 0; i < count; i++) vectors.set(await reader.read(places[first + i]!, 1), i * dimensions);
  return vectors;
}

function readQueries(
  { need, name, open }: GivenNeed,
  split: Split,
  { dataset, code }: Known,
  some?: SomeQueries,
): Stage<QueryVectorFacts> {
  return {
    name: 'queries',
    kind: 'queries',
    version: 'given query vectors 1',
    needs: { given: need },
    inputs: () => ({
      ...{ dataset: dataset.identity, split },
      ...code('given vectors', { dataset }),
      ...(some && { some: some.name }),
    }),
    about: { dataset: dataset.name, system: name },
    async make(folder, { dataset, progress }) {
      const described = await open();
      const given = await GivenQueries.open(described);
      await assertStill(described, need);
      return encodeQueries({
        queries: await (some === undefined ? dataset.queries(split) : some.of(dataset)),
        dimensions: given.dimensions,
        encode: async (batch) => given.vectorsOf(batch),
        ...{ batchSize: shardQueries, shardQueries, folder, progress },
      });
    },
  };
}
