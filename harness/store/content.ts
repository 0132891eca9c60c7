/**
 * The files of a finished artifact: what its manifest says of them, and whether that is still so. Its content is every file
 * below its folder but the manifest and what comes and goes beside it: see `isContent`.
 */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { hashOnce } from './hash-once.js';
import { unfinishedName } from './unfinished.js';

export const manifestFile = 'manifest.json';

/** A file as the manifest of its artifact names it. */
export interface ContentFile {
  /** Seen from the artifact's folder, with `/` between folders. */
  name: string;
  sizeBytes: number;
  /** Hexadecimal, of the whole file: what `sha256sum` prints. */
  sha256: string;
}

/** What is wrong with an artifact. */
export interface Fault {
  /** Seen from its folder. */
  file: string;
  /** `is missing` */
  what: string;
}

/** Who is told of work that takes long; a `Progress` is one. */
export interface Told {
  note(line: string): void;
  stage(name: string, total: number, unit: string): { update(done: number): void; end(note?: string): void };
  checkInterrupted(): void;
}

/** What the store itself puts into a folder and takes out of it again, before and after the artifact is finished. */
const comesAndGoes = /^(lock(\.takeover)?|temporary|lease-.*)$/;

/** @param name seen from the artifact's folder */
function isContent(name: string): boolean {
  const [top = ''] = name.split('/');
  return (
    name !== manifestFile &&
    top !== unfinishedName &&
    !comesAndGoes.test(name) &&
    !name.includes('.partial-') &&
    // Of file systems and desktops: .nfs0001, .DS_Store.
    !path.posix.basename(name).startsWith('.')
  );
}

/** Names of the files of an artifact, sorted. */
export async function contentNames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue;
    const name = path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/');
    if (isContent(name)) names.push(name);
  }
  return names.sort();
}

/** What a manifest is to say of the files in a folder, in the order of their names. */
export async function describeContent(folder: string, kind: string, told?: Told): Promise<ContentFile[]> {
  const files: { name: string; sizeBytes: number }[] = [];
  for (const name of await contentNames(folder)) {
    files.push({ name, sizeBytes: (await stat(path.join(folder, name))).size });
  }
  const hashes = await hashAll(folder, files, `hash ${kind}`, told);
  return files.map((file, i) => ({ ...file, sha256: hashes[i]! }));
}

/**
 * Whether an artifact holds what its manifest names and nothing else. Lengths are looked at each time, bytes where they were
 * not looked at by this process, or their file has been touched since.
 */
export async function contentFault(
  folder: string,
  files: readonly ContentFile[],
  kind: string,
  told?: Told,
): Promise<Fault | undefined> {
  for (const { name, sizeBytes } of files) {
    const found = await stat(path.join(folder, name)).catch(() => undefined);
    if (found === undefined) return { file: name, what: 'is missing' };
    if (!found.isFile()) return { file: name, what: 'is no file' };
    if (found.size !== sizeBytes) return { file: name, what: `holds ${found.size} bytes, not ${sizeBytes}` };
  }
  const known = new Set(files.map(({ name }) => name));
  const stranger = (await contentNames(folder)).find((name) => !known.has(name));
  if (stranger !== undefined) return { file: stranger, what: 'is none of the files it was finished with' };
  const hashes = await hashAll(folder, files, `check ${kind}`, told);
  const at = files.findIndex(({ sha256 }, i) => hashes[i] !== sha256);
  if (at < 0) return undefined;
  return { file: files[at]!.name, what: 'holds other bytes than those it was finished with' };
}

/** Below this it takes less than anybody waits for. */
const worthTellingBytes = 2 ** 28;

async function hashAll(
  folder: string,
  files: readonly { name: string; sizeBytes: number }[],
  title: string,
  told: Told | undefined,
): Promise<string[]> {
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const started = performance.now();
  let stage: ReturnType<Told['stage']> | undefined;
  let doneBytes = 0;
  const hashes: string[] = [];
  for (const { name } of files) {
    hashes.push(
      await hashOnce(path.join(folder, name), (bytes) => {
        if (totalBytes >= worthTellingBytes) stage ??= told?.stage(title, totalBytes, 'bytes');
        doneBytes += bytes;
        stage?.update(doneBytes);
        told?.checkInterrupted();
      }),
    );
  }
  const seconds = (performance.now() - started) / 1000;
  stage?.end(`${(doneBytes / 2 ** 30 / seconds).toFixed(2)} GiB/s`);
  return hashes;
}
