/** The files of a dataset: in the folder that --data names, or fetched. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile, DatasetRequest, Download } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { unpack } from '../../harness/store/archive.js';
import { describeFile } from '../../harness/store/hash-once.js';

/** @throws BenchError PATH_INVALID where the folder is not there */
export async function assertFolder(folder: string, hint: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  const message =
    found === undefined ? `There is no folder ${folder}.` : `${folder} is a file, and a folder is needed.`;
  throw new BenchError('PATH_INVALID', message, { hint });
}

async function isFile(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined))?.isFile() ?? false;
}

/** The first of these that a folder has; each also with .gz. */
export async function findIn(folder: string, names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const each of [name, `${name}.gz`]) {
      const file = path.join(folder, each);
      if (await isFile(file)) return file;
    }
  }
  return undefined;
}

/** @throws BenchError PATH_INVALID where the folder has none of these */
export async function needIn(folder: string, names: readonly string[], hint: string): Promise<string> {
  const file = await findIn(folder, names);
  if (file !== undefined) return file;
  throw new BenchError('PATH_INVALID', `There is no ${names.join(', no ')} in ${folder} (nor with .gz).`, {
    hint,
  });
}

/** The file of a download: fetched, or, where a folder was given, what lies there under its name with or without .gz. */
export async function fileOf(request: DatasetRequest, download: Download): Promise<string | undefined> {
  if (request.folder === undefined) return request.fetch(download);
  return findIn(request.folder, [download.name.replace(/\.gz$/, '')]);
}

/** The folder that a fetched archive unpacks to. What its publisher gives no hash of may not unpack to just anything. */
export async function unpacked(request: DatasetRequest, download: Download): Promise<string> {
  const isKnown = download.sha256 !== undefined || download.md5 !== undefined;
  return unpack(await request.fetch(download), isKnown ? null : request.unpacking);
}

/** Finds something out about files, or remembers it. */
export function remembered<T>(
  { remember }: DatasetRequest,
  what: string,
  files: readonly string[],
  find: () => Promise<T>,
): Promise<T> {
  return remember === undefined ? find() : remember(what, files, find);
}

/** The files as a run record names them. */
export function describeAll(request: DatasetRequest, files: readonly string[]): Promise<DataFile[]> {
  return Promise.all(files.map((file) => describeFile(file, request.sha256Of)));
}
