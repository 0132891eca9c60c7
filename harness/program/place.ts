/** Where this program lies. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that it was built into, as this process imports from it: a link to it is followed. */
export const buildFolder = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** The checkout, or the installed package. */
export const packageFolder = path.dirname(buildFolder);

/** What the build knows of sources: scripts/sources.mjs, plain JavaScript, for there is nothing built before the first build. */
export interface Sources {
  hasSources(root: string): boolean;
  buildName: RegExp;
  builtFile: string;
  changedSources(root: string, folder: string): string[];
  gitFacts(folder: string): Promise<GitFacts | null>;
}

export interface GitFacts {
  readonly commit: string;
  /** Whether files differed from the commit. */
  readonly dirty: boolean;
}

export async function importSources(): Promise<Sources> {
  const file = new URL('../../../scripts/sources.mjs', import.meta.url);
  return (await import(file.href)) as Sources;
}
