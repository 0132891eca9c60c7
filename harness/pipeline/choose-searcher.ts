/** Chooses among the searchers there are, by name or by what `auto` comes to. */
import type { BenchConfig } from '../config/config.js';
import { BenchError, nearestName } from '../errors.js';
import { loadSearcher, searcherNames } from '../plugins/searchers.js';
import { flatKind, type IndexBuilder, type SearcherPlugin } from '../search/searcher.js';
import type { DeviceName } from '../tensor/engine.js';

/** Leaves the choice to `autoRank` of the searchers. */
export const auto = 'auto';

export interface NamedSearcher {
  name: string;
  plugin: SearcherPlugin;
}

export interface NamedBuilder extends NamedSearcher {
  builder: IndexBuilder;
}

/** All there are: those that `auto` tries, in that order, then the others. */
export async function allSearchers(): Promise<NamedSearcher[]> {
  const all = await Promise.all(
    searcherNames().map(async (name) => ({ name, plugin: await loadSearcher(name) })),
  );
  const rank = ({ plugin }: NamedSearcher) => plugin.autoRank ?? Number.POSITIVE_INFINITY;
  // Names are in order already.
  return all.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

/** Those that `auto` tries. */
export async function autoSearchers(): Promise<NamedSearcher[]> {
  return (await allSearchers()).filter(({ plugin }) => plugin.autoRank !== undefined);
}

/** @throws BenchError UNKNOWN_NAME with a near name */
export const namedSearcher = async (name: string): Promise<NamedSearcher> => ({
  name,
  plugin: await loadSearcher(name),
});

/** The reasons for which `auto` goes on to the next searcher: one is not here, does not take this, or has no room for it. */
export const isNo = (error: unknown): error is BenchError =>
  error instanceof BenchError && ['UNAVAILABLE', 'CONFIG_INVALID', 'OUT_OF_MEMORY'].includes(error.code);

export function notFlat(name: string, { builder }: SearcherPlugin): BenchError {
  return new BenchError(
    'CONFIG_INVALID',
    `The searcher '${name}' searches no index "${flatKind}", which is the vectors themselves: it builds ${builder!.kinds}.`,
    {
      hint: `Give a kind with --set index.kind=..., or another searcher, or none: "${auto}" takes one that can.`,
    },
  );
}

/** Whatever searches the shards, where the index that is measured is another: `exact` hits, mining. */
export async function flatSearcher({ searcher, index }: BenchConfig): Promise<string> {
  if (index.kind === flatKind || searcher === auto) return searcher;
  return (await loadSearcher(searcher)).open === undefined ? auto : searcher;
}

/**
 * Who builds an index of a kind: the searcher that was named, or the first by rank that is here and knows the kind.
 * @throws BenchError UNKNOWN_NAME; CONFIG_INVALID with the reason where nobody knows the kind; UNAVAILABLE with the command
 *   where one that is missing might
 */
export async function builderOf(kind: string, name: string): Promise<NamedBuilder> {
  const named = name === auto ? undefined : await namedSearcher(name);
  if (named !== undefined && named.plugin.builder === undefined) {
    throw new BenchError(
      'CONFIG_INVALID',
      `The searcher '${name}' searches an index "${flatKind}" alone, and index.kind is "${kind}".`,
      { hint: `Leave the searcher out: "${auto}" takes one that builds such an index.` },
    );
  }
  const candidates = named === undefined ? await autoSearchers() : [named];
  const refusals: Refusal[] = [];
  for (const { name, plugin } of candidates) {
    const { builder } = plugin;
    if (builder === undefined) continue;
    try {
      await builder.assertKind(kind);
      await plugin.check();
      return { name, plugin, builder };
    } catch (error) {
      if (!isNo(error)) throw error;
      refusals.push({ name, error, examples: Object.keys(builder.examples) });
    }
  }
  throw nobodyBuilds(kind, refusals);
}

interface Refusal {
  name: string;
  error: BenchError;
  /** Kinds that it builds. */
  examples: readonly string[];
}

function nobodyBuilds(kind: string, refusals: readonly Refusal[]): BenchError {
  const missing = refusals.filter(({ error }) => error.code === 'UNAVAILABLE');
  const chosen = (missing.length > 0 ? missing : refusals)[0]?.error;
  if (refusals.length === 1 && chosen !== undefined) return chosen;
  const said = refusals.map(({ name, error }) => `\n  ${name}: ${error.message}`).join('');
  // A searcher that is missing may well know the kind.
  const known = missing.length > 0 ? [] : refusals.flatMap(({ examples }) => examples);
  const near = nearestName(kind, [flatKind, ...known]);
  const meant = near === undefined ? '' : `, did you mean '${near}'?`;
  const message = `No searcher here builds an index '${kind}'${meant || ':'}${said}`;
  return new BenchError(chosen?.code ?? 'UNAVAILABLE', message, {
    ...(chosen?.hint !== undefined && { hint: chosen.hint }),
    cause: chosen,
  });
}

/**
 * What can be known of a searcher before there is an index.
 * @throws BenchError UNKNOWN_NAME, UNAVAILABLE with the command that adds it, CONFIG_INVALID where it cannot search such an index
 */
export async function assertSearcher({ searcher, index }: BenchConfig): Promise<void> {
  if (searcher === auto) return;
  const { plugin } = await namedSearcher(searcher);
  if (index.kind === flatKind && plugin.open === undefined) throw notFlat(searcher, plugin);
  await plugin.check();
}

/** @throws BenchError UNAVAILABLE where the searcher that was named does not search where the run computes */
export async function assertSearcherOn({ searcher, index }: BenchConfig, device: DeviceName): Promise<void> {
  if (searcher === auto || index.kind !== flatKind) return;
  await (await namedSearcher(searcher)).plugin.assertDevice?.(device);
}

/** A name has to be right even where nothing is searched by it. @throws BenchError UNKNOWN_NAME with a near name */
export async function assertSearcherName({ searcher }: Pick<BenchConfig, 'searcher'>): Promise<void> {
  if (searcher !== auto) await namedSearcher(searcher);
}
