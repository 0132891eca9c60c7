/** Finds what is compared by its name: every file of `harness/systems` is a kind of systems. */
import { nearestName, unknownName } from './errors.js';
import type { System, SystemKind, SystemListing } from './pipeline/system.js';
import { loadSystemFile, systemFiles } from './plugins.js';

async function kinds(root?: string): Promise<SystemKind[]> {
  return Promise.all(systemFiles(root).map((file) => loadSystemFile<SystemKind>(file, root)));
}

/** Every name that `--arch` takes and that can be listed, kind by kind. */
export async function listSystems(root?: string): Promise<SystemListing[]> {
  return (await Promise.all((await kinds(root)).map((kind) => kind.list()))).flat();
}

/** What `--arch` takes: every name that can be listed, and how the others are written. */
export async function listSystemForms(root?: string): Promise<SystemListing[]> {
  const all = await kinds(root);
  return [...(await listSystems(root)), ...all.flatMap(({ form }) => form ?? [])];
}

/** In a list of systems, every name that can be listed. */
export const allSystems = 'all';

/**
 * The names that a separator stands between. A path may hold it: a piece behind a name with a colon belongs to that name, unless it is
 * a system's.
 * @throws BenchError UNKNOWN_NAME for a piece that is nearly a system's name
 */
export async function namesBetween(text: string, separator: ',' | '+' | '>'): Promise<string[]> {
  const names: string[] = [];
  const isName = async (piece: string) =>
    (separator === ',' && piece === allSystems) || (await isSystem(piece));
  for (const piece of text.split(separator)) {
    const last = names.at(-1);
    const mayBePath = last?.includes(':') === true && !(await isName(piece.trim()));
    const known = mayBePath ? (await listSystems()).map(({ name }) => name) : [];
    if (nearestName(piece.trim(), known) !== undefined)
      throw unknownName('architecture', piece.trim(), known);
    if (mayBePath) names[names.length - 1] = last + separator + piece;
    else names.push(piece);
  }
  return names;
}

/** Whether a name is of some kind of system, be it right or not. */
export async function isSystem(name: string): Promise<boolean> {
  for (const kind of await kinds()) if (await kind.has(name)) return true;
  return false;
}

/** @throws BenchError UNKNOWN_NAME with a near name */
export async function loadSystem(name: string, root?: string): Promise<System> {
  for (const kind of await kinds(root)) if (await kind.has(name)) return kind.load(name);
  throw unknownName(
    'architecture',
    name,
    (await listSystems(root)).map((listed) => listed.name),
  );
}
