/** Opens an index with the searcher that was asked for, or that `auto` comes to. */
import type { BenchConfig } from '../config/config.js';
import { BenchError } from '../errors.js';
import type { VectorIndex } from '../index/vector-index.js';
import { passageSearcher, type Searcher } from '../search/search.js';
import { type BuiltFile, flatKind, type RowSearcher, type SearchMeans } from '../search/searcher.js';
import { auto, autoSearchers, isNo, type NamedSearcher, namedSearcher, notFlat } from './choose-searcher.js';

/** An index that was built, and who built it, who alone can search it. */
export interface BuiltSearch extends BuiltFile {
  searcher: string;
}

export interface SearchOptions extends SearchMeans {
  /** An index built from these shards, to be searched instead of them. */
  built?: BuiltSearch;
}

/** What the settings allow a search. */
export const searchBudget = ({
  search: { memoryMiB, deviceMemoryMiB },
}: BenchConfig): Omit<SearchMeans, 'engine'> => ({
  memoryBytes: memoryMiB * 2 ** 20,
  ...(deviceMemoryMiB !== null && { deviceMemoryBytes: deviceMemoryMiB * 2 ** 20 }),
});

/**
 * Opens what finds passages.
 * @param name 'auto' is the first by rank that is here and whose budget is large enough
 * @throws BenchError UNKNOWN_NAME, UNAVAILABLE with the command that adds it, CONFIG_INVALID for a budget too small, or for
 *   a searcher that cannot search such an index
 */
export async function openSearcher(
  name: string,
  index: VectorIndex,
  { engine, memoryBytes, deviceMemoryBytes, built }: SearchOptions,
): Promise<Searcher> {
  const resultBytes = memoryBytes / 4;
  // Results lie in this process's memory.
  const means = {
    ...{ engine, memoryBytes: memoryBytes - resultBytes },
    ...(deviceMemoryBytes !== undefined && { deviceMemoryBytes }),
  };
  const finished = ({ name, plugin }: NamedSearcher, rows: RowSearcher, fallback?: string): Searcher => {
    const versions = plugin.versions(engine, built?.kind ?? flatKind);
    const identity = { name, versions, ...(fallback !== undefined && { fallback }) };
    return passageSearcher(rows, index, identity, resultBytes);
  };
  if (built !== undefined) {
    const searcher = await namedSearcher(built.searcher);
    if (name !== auto && name !== built.searcher) throw cannotSearch(await namedSearcher(name), built);
    await searcher.plugin.check();
    return finished(searcher, await searcher.plugin.builder!.open(index, built, means));
  }
  if (name !== auto) {
    const searcher = await namedSearcher(name);
    return finished(searcher, await openFlat(searcher, index, means));
  }
  const candidates = (await autoSearchers()).filter(({ plugin }) => plugin.open !== undefined);
  let fallback: string | undefined;
  for (const [i, searcher] of candidates.entries()) {
    try {
      return finished(searcher, await openFlat(searcher, index, means), fallback);
    } catch (error) {
      if (!isNo(error) || i === candidates.length - 1) throw error;
      fallback ??= error.message;
    }
  }
  throw new BenchError('UNAVAILABLE', `No searcher here searches an index "${flatKind}".`);
}

/** The budget is looked at before a library is loaded. */
function openFlat(
  { name, plugin }: NamedSearcher,
  index: VectorIndex,
  means: SearchMeans,
): Promise<RowSearcher> {
  if (plugin.open === undefined) throw notFlat(name, plugin);
  return plugin.open(index, means);
}

function cannotSearch({ name }: NamedSearcher, { searcher, kind }: BuiltSearch): BenchError {
  return new BenchError(
    'CONFIG_INVALID',
    `The searcher '${name}' cannot search an index '${kind}' that ${searcher} has built.`,
    { hint: `Use --searcher ${searcher}, or --set index.kind=${flatKind}, which is the vectors themselves.` },
  );
}
