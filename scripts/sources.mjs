// What the program was built from, and whether that has changed since. Used by the build, and by the program itself as
// it starts (harness/program/): a program that is older than its sources must not run as if it were not.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

/** What a built folder says of itself: `sources` by path, `git` of the checkout when it was built. */
export const builtFile = 'built.json';

/** Folders that builds leave: their name ends with the hash of what is in them. */
export const buildName = /^dist-[0-9a-f]{12}$/;

/** Whether anything can be built here: a package installed from the registry holds no sources. */
export const hasSources = (root) => existsSync(path.join(root, 'tsconfig.json'));

/**
 * Every file that a build reads, by its path in the checkout.
 * @returns path -> { sizeBytes, mtimeMs }
 */
function statSources(root, { tests }) {
  const { include } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8'));
  const found = {};
  const look = (folder) => {
    for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) look(name);
      else if (/\.(ts|wat)$/.test(entry.name)) found[name] = statOf(root, name);
    }
  };
  for (const folder of include)
    if ((tests || isOfProgram(`${folder}/`)) && existsSync(path.join(root, folder))) look(folder);
  for (const name of [
    'tsconfig.json',
    'scripts/build.mjs',
    'scripts/module-graph.mjs',
    'scripts/sources.mjs',
  ])
    found[name] = statOf(root, name);
  return found;
}

function statOf(root, name) {
  const { size, mtimeMs } = statSync(path.join(root, name));
  return { sizeBytes: size, mtimeMs };
}

/** The same with the hash of each file. */
export function describeSources(root) {
  const sources = statSources(root, { tests: true });
  for (const [name, facts] of Object.entries(sources)) facts.sha256 = hashOf(root, name);
  return sources;
}

const hashOf = (root, name) =>
  createHash('sha256')
    .update(readFileSync(path.join(root, name)))
    .digest('hex');

/** What the program is made of; tests are built with it. */
const isOfProgram = (name) => !name.startsWith('test/');

/**
 * What has changed since a folder was built, as sentences without an end: by size and time, and where those differ by hash.
 * @param tests whether those count too
 * @returns [] where nothing has
 */
export function changedSources(root, folder, { tests = false } = {}) {
  const file = path.join(folder, builtFile);
  if (!existsSync(file)) return ['it does not say from which sources it was built'];
  const { sources: then } = JSON.parse(readFileSync(file, 'utf8'));
  const now = statSources(root, { tests });
  const changes = [];
  for (const name of Object.keys({ ...then, ...now }).filter((each) => tests || isOfProgram(each))) {
    const [a, b] = [then[name], now[name]];
    if (a === undefined) changes.push(`${name} is new`);
    else if (b === undefined) changes.push(`${name} is gone`);
    else if ((a.sizeBytes !== b.sizeBytes || a.mtimeMs !== b.mtimeMs) && a.sha256 !== hashOf(root, name))
      changes.push(`${name} has changed`);
  }
  return changes;
}

/** Null where the folder is not the top of a git checkout (an installed package), or git is not there. */
export async function gitFacts(folder) {
  const git = async (...command) =>
    (await promisify(execFile)('git', ['-C', folder, ...command])).stdout.trim();
  try {
    const top = await git('rev-parse', '--show-toplevel');
    if (realpathSync(top) !== realpathSync(folder)) return null;
    const commit = await git('rev-parse', 'HEAD');
    return { commit, dirty: (await git('status', '--porcelain')) !== '' };
  } catch {
    return null;
  }
}
