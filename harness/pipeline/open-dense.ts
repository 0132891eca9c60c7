/** Opens what encodes queries and an index, to answer queries as a user would ask them. */
import type { BenchConfig } from '../config/config.js';
import { openIndex } from '../index/vector-index.js';
import { PassageScorer } from '../search/rerank.js';
import type { Engine } from '../tensor/engine.js';
import { type BuiltIndex, builtIndex } from './built-index.js';
import type { OpenSystem } from './cell.js';
import { indexBuilder } from './index-builder.js';
import { engineOf } from './prepare.js';
import { type QueryEncoder, type QuerySource, vectorOf } from './query-encoder.js';
import { closeSearching, openSearching } from './searching.js';
import type { OpenScoring, SystemSteps } from './system.js';

/** By which another process opens it: JSON. */
export interface DenseOpening {
  readonly config: BenchConfig;
  /** Folder of the shards. */
  readonly shards: string;
  /** What is searched instead of them; absent where the index is Flat, or is not searched. */
  readonly built?: BuiltIndex['artifact'];
  /** Of the source of the queries' vectors. */
  readonly queries: object;
}

/** @param openQueries opens what gives queries their vectors, from `queries` of an opening */
export function openingsOf(
  openQueries: (from: object, engine: Engine, config: BenchConfig) => Promise<QueryEncoder>,
): Required<Pick<SystemSteps, 'open' | 'openScoring'>> {
  const sourceOf =
    ({ queries, config }: DenseOpening): QuerySource['open'] =>
    (engine) =>
      openQueries(queries, engine, config);
  return {
    async open(from) {
      const opening = from as DenseOpening;
      const { config, shards, built } = opening;
      const by = built && (await indexBuilder(config));
      return openDense(config, sourceOf(opening), shards, built && builtIndex(built, config, by!));
    },
    openScoring(from) {
      const opening = from as DenseOpening;
      return openScoring(opening.config, sourceOf(opening), opening.shards);
    },
  };
}

export async function openDense(
  config: BenchConfig,
  openQueries: QuerySource['open'],
  shards: string,
  built?: BuiltIndex,
): Promise<OpenSystem> {
  const { depth } = config.search;
  const engine = await engineOf(config);
  try {
    const searching = await openSearching({ config }, engine, shards, built);
    const { searcher } = searching;
    const encoder = await openQueries(engine);
    return {
      parts: [
        ...encoder.parts,
        {
          name: 'search',
          run: async (given: unknown) => searcher.search(await vectorOf(encoder, given), 1, depth),
        },
      ],
      async answerBatch(queries) {
        return searcher.search(await encoder.encode(queries), queries.length, depth);
      },
      resident: searcher.resident,
      async close() {
        await closeSearching(searching);
        await encoder.dispose();
        await engine.dispose();
      },
    };
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

export const scorerBytes = ({ search }: BenchConfig): number => search.memoryMiB * 2 ** 20;

export async function openScoring(
  config: BenchConfig,
  openQueries: QuerySource['open'],
  shards: string,
): Promise<OpenScoring> {
  const engine = await engineOf(config);
  const opened: { close(): Promise<unknown> }[] = [{ close: async () => engine.dispose() }];
  const close = async () => {
    for (const each of opened.reverse()) await each.close();
  };
  try {
    const queries = await openQueries(engine);
    opened.push({ close: () => queries.dispose() });
    const index = await openIndex(shards);
    opened.push(index);
    return { queries, scorer: await PassageScorer.open(index, scorerBytes(config)), close };
  } catch (error) {
    await close();
    throw error;
  }
}
