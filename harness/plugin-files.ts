/** Plug-ins as files: every file of a plug-in folder is one, and its default export is the plug-in. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BenchError } from './errors.js';

/** The folder that holds `architectures`, `datasets`, `reports` and `harness`, as they were built. */
export const builtRoot = fileURLToPath(new URL('..', import.meta.url));

/** What the default export of a file in this folder must have, and of which type. */
export interface Kind {
  folder: string;
  members: Readonly<Record<string, 'string' | 'function' | 'object' | 'number' | 'boolean'>>;
}

export function namesIn({ folder }: Pick<Kind, 'folder'>, root: string): string[] {
  let files: string[];
  try {
    files = readdirSync(path.join(root, folder));
  } catch (error) {
    // Git keeps no empty folder: one that is absent holds no plug-ins.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return files
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -'.js'.length))
    .sort();
}

/** @throws BenchError PLUGIN_INVALID where one has the name of what is there without a file */
export function namesBeside(kind: Pick<Kind, 'folder'>, usual: unknown, root: string): string[] {
  const names = namesIn(kind, root);
  if (!names.includes(String(usual))) return names;
  throw new BenchError(
    'PLUGIN_INVALID',
    `${kind.folder}/${usual}.ts: '${usual}' is there without a plug-in.`,
    { hint: 'Give the file another name.' },
  );
}

export async function load<T>(kind: Kind, name: string, root: string): Promise<T> {
  const file = path.join(root, kind.folder, `${name}.js`);
  const source = path.join(kind.folder, `${name}.ts`);
  let plugin: unknown;
  try {
    plugin = ((await import(pathToFileURL(file).href)) as { default?: unknown }).default;
  } catch (cause) {
    if (cause instanceof BenchError) throw cause;
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BenchError('PLUGIN_INVALID', `The plug-in ${source} does not load: ${reason}`, { cause });
  }
  const wrong = Object.entries(kind.members)
    .filter(
      ([member, type]) => typeof (plugin as Record<string, unknown> | null | undefined)?.[member] !== type,
    )
    .map(([member, type]) => `${member} (${type})`);
  if (wrong.length > 0) {
    throw new BenchError(
      'PLUGIN_INVALID',
      `The default export of ${source} is not a plug-in: it lacks ${wrong.join(', ')}.`,
      {
        hint: 'docs/extend.md has a skeleton of each kind of plug-in; of a system, see harness/pipeline/system.ts.',
      },
    );
  }
  return plugin as T;
}
