/** Finds what is compared by its name: every file of `harness/systems` is a kind of systems. */
import { unknownName } from './errors.js';
import type { System, SystemKind, SystemListing } from './pipeline/system.js';
import { loadSystemFile, systemFiles } from './plugins.js';

async function kinds(root?: string): Promise<SystemKind[]> {
  return Promise.all(systemFiles(root).map((file) => loadSystemFile<SystemKind>(file, root)));
}

/** Every name that `--arch` takes and that can be listed, kind by kind. */
export async function listSystems(root?: string): Promise<SystemListing[]> {
  return (await Promise.all((await kinds(root)).map((kind) => kind.list()))).flat();
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
