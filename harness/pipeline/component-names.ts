/** Systems put together of others, by name: `fuse:bm25+mlr-sc`, `rerank:bm25>mlr-sc`. */
import { BenchError } from '../errors.js';
import { loadSystem, namesBetween } from '../systems.js';
import { prefixed } from './named-behind.js';
import type { System, SystemKind } from './system.js';

/**
 * The systems that a name is put together of, in its order, see `namesBetween`.
 * @param name with what stands before the colon
 * @throws BenchError USAGE where there are too few, or one is named twice or put together itself; UNKNOWN_NAME
 */
export async function componentsOf(name: string, separator: '+' | '>', most = Infinity): Promise<System[]> {
  const prefix = name.slice(0, name.indexOf(':') + 1);
  const names = await namesBetween(name.slice(prefix.length), separator);
  const fault = (what: string) => {
    const example = `${prefix}bm25${separator}mlr-sc`;
    return new BenchError('USAGE', `--arch ${name} ${what}.`, {
      hint: `Write ${example}${separator === '>' ? `, in quotes: '${example}'` : ''}, with the names of --arch in their order.`,
    });
  };
  if (names.length < 2 || names.some((each) => each === '')) throw fault('needs two systems by name');
  if (names.length > most) throw fault(`names ${names.length} systems, not ${most}`);
  const components = await Promise.all(names.map((each) => loadSystem(each)));
  const nested = components.find(({ components: own }) => own !== undefined);
  if (nested !== undefined) throw fault(`holds ${nested.name}, which is put together of others itself`);
  const scorers = components.slice(0, separator === '>' ? 1 : undefined);
  for (const { name: own, scoresOnly } of scorers)
    if (scoresOnly)
      throw fault(
        `asks ${own} for hits, which it finds none of: it scores those of another system, as the second of rerank:`,
      );
  if (new Set(names).size !== names.length) throw fault('names a system twice');
  return components;
}

/** What the system's own settings and those of its components are, together. */
export const settingsOf = (
  components: readonly Pick<System, 'settings'>[],
  own: 'fuse' | 'rerank',
): System['settings'] => [...new Set([own, ...components.flatMap(({ settings }) => settings)])];

/** @param most systems that it is put together of */
export const composed = (
  family: 'fuse' | 'rerank',
  separator: '+' | '>',
  most: number,
  told: Pick<System, 'summary' | 'steps'>,
): SystemKind =>
  prefixed(`${family}:`, { name: `${family}:A${separator}B`, summary: told.summary }, async (name) => {
    const components = await componentsOf(name, separator, most);
    return {
      ...told,
      isTrained: components.some(({ isTrained }) => isTrained),
      components: components.map((each) => each.name),
      settings: settingsOf(components, family),
    };
  });
