/** What searchers there are, and what this machine lacks of them: for `bench list` and `bench doctor`. */
import { parameterKey } from '../config/index-parameters.js';
import { BenchError } from '../errors.js';
import { allSearchers, auto, autoSearchers, namedSearcher } from './choose-searcher.js';

export interface SearcherDescription {
  name: string;
  available: boolean;
  /** What it is and its version, or the reason why it cannot be used. */
  detail: string;
  /** The command that adds it, where it is missing. */
  hint?: string;
  /** What is lacking without it. */
  without: string;
}

/** Tries every searcher. */
export async function describeSearchers(): Promise<SearcherDescription[]> {
  const described: SearcherDescription[] = [];
  for (const { name, plugin } of await allSearchers()) {
    const { without } = plugin;
    try {
      described.push({ name, available: true, detail: await plugin.check(), without });
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      described.push({ name, available: false, detail: error.message, ...hint, without });
    }
  }
  return described;
}

export interface SearcherListing {
  name: string;
  summary: string;
  /** Why it cannot be used on this machine, and what adds it. */
  missing?: string;
}

/** Every searcher with the kinds of index it builds and what a search of them can be told, `auto` first. */
export async function listSearchers(): Promise<SearcherListing[]> {
  const order = await autoSearchers();
  const flat = order.filter(({ plugin }) => plugin.open !== undefined).map(({ name }) => name);
  const building = order.filter(({ plugin }) => plugin.builder !== undefined).map(({ name }) => name);
  const listed: SearcherListing[] = [
    {
      name: auto,
      summary: `the first that is here and takes the index: of ${flat.join(', ')} for Flat, of ${building.join(', ')} for other kinds`,
    },
  ];
  for (const { name, available, detail, hint } of await describeSearchers()) {
    const { summary, builder } = (await namedSearcher(name)).plugin;
    const parameters = Object.keys(builder?.parameters ?? {}).map(parameterKey);
    const told = parameters.length === 0 ? '' : `, told by ${parameters.join(', ')}`;
    listed.push({
      name,
      summary: builder === undefined ? summary : `${summary}; builds ${builder.kinds}${told}`,
      ...(!available && { missing: hint === undefined ? detail : `${detail} ${hint}` }),
    });
  }
  return listed;
}
