/**
 * The cache that the tools of Hugging Face share (`huggingface_hub`, transformers, datasets), as far as it is read here:
 * `models--OWNER--NAME/snapshots/COMMIT/` holds the files of a commit, `refs/main` names one. Nothing is written there.
 * https://huggingface.co/docs/huggingface_hub/guides/manage-cache
 */
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { type HubName, isCommit, newest, type RepositoryKind } from './hub-names.js';
import { readPlainText } from './plain-file.js';

/** Where that cache lies: HF_HUB_CACHE, else `hub` in HF_HOME, else in ~/.cache/huggingface. */
export function sharedHubCache(environment: NodeJS.ProcessEnv = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  const home = HF_HOME || path.join(XDG_CACHE_HOME || path.join('~', '.cache'), 'huggingface');
  const folder = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || path.join(home, 'hub');
  return path.resolve(folder.replace(/^~(?=$|[/\\])/, homedir()));
}

export interface Snapshot {
  revision: string;
  folder: string;
  /** What of the repository is there, by path within it: those tools fetch single files. */
  files: readonly string[];
  /** Whether the commit is known not to have a file, as these tools noted it, or because the whole of it was fetched. */
  lacks(file: string): boolean;
}

/** In every repository of the hub, and asked for by nothing but a download of the whole. */
const signOfWhole = '.gitattributes';

/** The files of a repository's revision; undefined where none are there. */
export async function findSnapshot(kind: RepositoryKind, name: HubName): Promise<Snapshot | undefined> {
  const home = path.join(sharedHubCache(), `${kind}s--${name.repository.replace('/', '--')}`);
  const revision = await commitOf(home, name.revision ?? newest);
  if (revision === undefined) return undefined;
  const folder = path.join(home, 'snapshots', revision);
  const files = await filesBelow(folder);
  if (files.length === 0) return undefined;
  const noted = await filesBelow(path.join(home, '.no_exist', revision));
  const isWhole = files.includes(signOfWhole);
  return {
    ...{ revision, folder, files },
    lacks: (file) => !files.includes(file) && (isWhole || noted.includes(file)),
  };
}

/** What a reference names; what is a commit itself names itself. */
async function commitOf(home: string, reference: string): Promise<string | undefined> {
  const file = path.join(home, 'refs', ...reference.split('/'));
  const text = (await readPlainText(file).catch(() => '')).trim();
  return isCommit(text) ? text : isCommit(reference) ? reference : undefined;
}

/** The files below a folder, sorted, by path within it with `/`; links to files count, those to folders do not. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files: string[] = [];
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    // A link whose file is gone is no file.
    if (entry.isFile() || (entry.isSymbolicLink() && (await stat(file).catch(() => undefined))?.isFile()))
      files.push(path.relative(folder, file).split(path.sep).join('/'));
  }
  return files.sort();
}
