/** The version of this program. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseJson } from '../json.js';
import { buildFolder, type GitFacts, importSources, packageFolder } from './place.js';

export interface Program {
  readonly benchVersion: string;
  /** Null where it does not run from a git checkout. */
  readonly git: GitFacts | null;
}

let known: Promise<Program> | undefined;

/** The state in which this process first found it: a commit that is made while it runs is not what it runs. */
export function describeProgram(): Promise<Program> {
  known ??= describe();
  return known;
}

async function describe(): Promise<Program> {
  const { version } = parseJson(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { benchVersion: version, git: await gitOfProgram() };
}

async function gitOfProgram(): Promise<GitFacts | null> {
  const { hasSources, changedSources, builtFile, gitFacts } = await importSources();
  if (!hasSources(packageFolder) || changedSources(packageFolder, buildFolder).length === 0)
    return gitFacts(packageFolder);
  // An older build, started by its own name: the checkout is no longer what it was made of.
  const built = parseJson(readFileSync(path.join(buildFolder, builtFile), 'utf8')) as {
    git: GitFacts | null;
  };
  return built.git;
}
