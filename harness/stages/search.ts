/** Searching vectors with the queries of a split. */
import type { BenchConfig } from '../config/config.js';
import { parametersAsked } from '../config/index-parameters.js';
import type { Split } from '../contracts.js';
import { type QueryVectorFacts, QueryVectors } from '../index/query-vectors.js';
import { HitParts } from '../pipeline/hit-files.js';
import { partQueriesOf, searchQueries } from '../pipeline/query-search.js';
import { openAt } from '../pipeline/searching.js';
import { type Conditions, conditionsHere, type Timed } from '../pipeline/whole-index.js';
import type { BuiltNeed, Need, Stage, Workplace } from './graph.js';
import type { Known } from './known.js';
import { spannedSearch } from './search-spans.js';

export interface RunFacts {
  queries: number;
  depth: number;
  searcher: string;
  /** Opening the index and searching all queries. */
  execution: { buildSeconds: number; searchSeconds: number; conditions?: Conditions };
}

/** What opening the index and searching it took. */
export const timeOf = ({ execution }: RunFacts): Timed => ({
  seconds: execution.buildSeconds + execution.searchSeconds,
  conditions: execution.conditions,
});

/** What is searched. */
export interface SearchTarget {
  /** Whose vectors they are, by name. */
  system: string;
  /** Vectors of the queries of a split. */
  queries: Stage<QueryVectorFacts>;
  shards: Need;
  /** Absent where the shards are searched themselves. */
  index?: BuiltNeed | undefined;
}

export interface SearchSettings {
  split: Split;
  /** Hits per query. */
  depth: number;
  /** Whether a passage with the query's id is a hit; `kept` where absent. */
  identicalIds?: 'dropped' | 'kept';
}

/** @param value what the search in an index that was built is told; the last of those asked for where absent */
export function search(
  { system, queries, shards, index }: SearchTarget,
  { split, depth, identicalIds = 'kept' }: SearchSettings,
  config: Pick<BenchConfig, 'search' | 'index'>,
  { dataset, engine, computing, flat, builder, code }: Known,
  value?: number,
): Stage<RunFacts> {
  const { batchSize, memoryMiB, deviceMemoryMiB } = config.search;
  const [parameter] = parametersAsked(config.index);
  const last = parameter?.values.at(-1);
  const told = value ?? last;
  // What was built is never cut: what it finds is not what it would find in its parts.
  const spanned = async (at: Workplace, key: string) =>
    index
      ? undefined
      : spannedSearch({ queries, shards }, { split, batchSize, depth, identicalIds }, at, key);
  return {
    name: 'search',
    kind: 'runs',
    version: 'run 3',
    task: 'search',
    needs: { queries, shards, index },
    inputs: () => ({
      ...code('search', { dataset, engine, searcher: index ? builder?.name : flat?.names }),
      ...computing,
      ...{ split, depth },
      ...(identicalIds === 'dropped' && { identicalIds }),
      // Queries that are computed together decide the last bits of scores.
      ...{ batchSize, memoryMiB },
      ...(deviceMemoryMiB !== null && { deviceMemoryMiB }),
      // The index has a value of its own where none is asked for.
      ...(index === undefined
        ? { searcher: flat?.identity }
        : { parameter: parameter ? { name: parameter.name, value: told } : null }),
    }),
    about: { dataset: dataset.name, system },
    pieces: async (at, key) => (await spanned(at, key))?.pieces,
    async make(folder, at, key) {
      // How they are cut is known once they are there.
      await at.folderOf(shards);
      const bySpans = await spanned(at, key);
      if (bySpans !== undefined) return bySpans.make(folder);
      const { dataset, engine, progress } = at;
      const texts = await dataset.queries(split);
      const vectors = new QueryVectors(await at.made(queries));
      const searching = await at.searching(shards, index);
      const started = performance.now();
      // The last value is what the index is open with.
      const own = told === last ? undefined : await openAt(at, searching, searching.built!, told);
      const searcher = own ?? searching.searcher;
      const buildSeconds = own ? (performance.now() - started) / 1000 : searching.buildSeconds;
      const conditions = await conditionsHere(engine.threads);
      const partQueries = partQueriesOf(searcher.resident, batchSize);
      const parts = await HitParts.open(folder, { key, batchSize, partQueries, conditions }, progress.note);
      const asked = { batchSize, depth, identicalIds };
      try {
        await searchQueries({ ...searching, searcher }, texts, vectors, asked, parts, progress);
      } finally {
        await own?.dispose();
      }
      await parts.join();
      const execution = { buildSeconds, searchSeconds: parts.seconds, conditions };
      return { queries: texts.length, depth: parts.depth, searcher: searcher.name, execution };
    },
  };
}
