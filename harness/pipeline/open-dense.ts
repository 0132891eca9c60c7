/** Opens what encodes queries and an index, to answer queries as a user would ask them. */
import { closingOnFailure } from '../closing.js';
import type { BenchConfig } from '../config/config.js';
import { openIndex } from '../index/vector-index.js';
import { PassageScorer, type RerankCut, rerankHits } from '../search/rerank.js';
import type { PassageHits } from '../search/search.js';
import type { Engine } from '../tensor/engine.js';
import { type BuiltIndex, builtIndex } from './built-index.js';
import type { Opening, OpenSystem, WayToOpen } from './cell.js';
import { indexBuilder } from './index-builder.js';
import { engineOf } from './prepare.js';
import { type QueriesFrom, type QueryEncoder, vectorOf } from './query-encoder.js';
import { closeSearching, openSearching } from './searching.js';
import type { OpenScoring, SystemSteps } from './system.js';

/** By which it is opened: JSON. */
interface DenseFrom {
  readonly config: BenchConfig;
  /** Folder of the shards. */
  readonly shards: string;
  /** What is searched instead of them; absent where the index is Flat, or is not searched. */
  readonly built?: BuiltIndex['artifact'];
  /** Of the source of the queries' vectors. */
  readonly queries: QueriesFrom;
}

export function denseOpening(system: string, from: DenseFrom): Opening {
  const { shards, built, queries } = from;
  const folders = [shards, built?.folder, queries.folder].filter((folder) => folder !== undefined);
  return { system, folders, from };
}

/** What queries get their vectors with, beside what their source says. */
interface QueriesPlace extends Pick<WayToOpen, 'progress'>, Pick<DenseFrom, 'config' | 'shards'> {
  readonly engine: Engine;
}

type OpenQueries = (from: QueriesFrom, at: QueriesPlace) => Promise<QueryEncoder>;

/** @param openQueries opens what gives queries their vectors, from `queries` of an opening */
export const openingsOf = (
  openQueries: OpenQueries,
): Required<Pick<SystemSteps, 'open' | 'openScoring' | 'loadCode'>> => ({
  open: (from, way) => openDense(from as DenseFrom, way, openQueries),
  openScoring: (from, way) => openScoring(from as DenseFrom, way, openQueries),
  async loadCode(from) {
    const { config } = from as DenseFrom;
    await (await engineOf(config)).dispose();
    await indexBuilder(config);
  },
});

const configOf = ({ config }: DenseFrom, { threads }: WayToOpen): BenchConfig => ({
  ...config,
  threads: threads ?? config.threads,
});

async function openDense(from: DenseFrom, way: WayToOpen, openQueries: OpenQueries): Promise<OpenSystem> {
  const { shards, queries } = from;
  const config = configOf(from, way);
  const { depth } = config.search;
  const built = from.built && builtIndex(from.built, config, (await indexBuilder(config))!);
  return closingOnFailure(await engineOf(config), async (engine) => {
    const searching = await openSearching({ config }, engine, shards, built);
    const { searcher } = searching;
    const encoder = await openQueries(queries, { ...way, config, shards, engine });
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
  });
}

export const scorerBytes = ({ search }: BenchConfig): number => search.memoryMiB * 2 ** 20;

async function openScoring(from: DenseFrom, way: WayToOpen, openQueries: OpenQueries): Promise<OpenScoring> {
  const { shards } = from;
  const config = configOf(from, way);
  const engine = await engineOf(config);
  const opened: { close(): Promise<unknown> }[] = [{ close: async () => engine.dispose() }];
  const close = async () => {
    for (const each of opened.reverse()) await each.close();
  };
  return closingOnFailure({ close }, async () => {
    const queries = await openQueries(from.queries, { ...way, config, shards, engine });
    opened.push({ close: () => queries.dispose() });
    const index = await openIndex(shards);
    opened.push(index);
    const scorer = await PassageScorer.open(index, scorerBytes(config));
    const order = (hits: PassageHits, vectors: Float32Array, { reranked, depth }: RerankCut) =>
      rerankHits(hits, vectors, scorer, reranked, depth);
    return {
      parts: queries.parts,
      order: async (given, hits, cut) => order(hits, await vectorOf(queries, given), cut),
      orderBatch: async (batch, hits, cut) => order(hits, await queries.encode(batch), cut),
      resident: scorer.resident,
      close,
    };
  });
}
