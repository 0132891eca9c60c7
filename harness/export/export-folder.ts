/** A trained retriever as files for other tools. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { DataFile } from '../contracts.js';
import { BenchError, fileError } from '../errors.js';
import { describeFile } from '../store/hash-once.js';
import { wholeFolder } from '../store/whole-folder.js';
import type { ExportTools, TrainedRetriever, VectorCheck } from './trained-retriever.js';

export const exportFormats = ['onnx', 'safetensors'] as const;
export type ExportFormat = (typeof exportFormats)[number];

export interface ExportFacts {
  format: ExportFormat;
  folder: string;
  architecture: string;
  checkpoint: string;
  files: readonly DataFile[];
  /** One for each encoder; empty where weights were compared bit by bit instead. */
  checks: readonly VectorCheck[];
}

/**
 * Writes the files of a format and holds them against the retriever; where they fail, nothing remains.
 * @param folder is made; may be there already where it is empty
 * @throws BenchError PATH_INVALID where the folder holds something, EXPORT_FAILED where it cannot be done in this format
 */
export async function exportRetriever(
  trained: TrainedRetriever,
  format: ExportFormat,
  folder: string,
  tools: ExportTools,
): Promise<ExportFacts> {
  const target = path.resolve(folder);
  await checkEmpty(target);
  try {
    return await wholeFolder(target, async (temporary) => {
      const checks =
        format === 'onnx'
          ? await (await import('./onnx-files.js')).writeOnnxFiles(temporary, trained, tools)
          : await (await import('./hugging-face-files.js')).writeHuggingFaceFiles(temporary, trained);
      const { key: checkpoint, facts } = trained;
      const files = await describeFiles(temporary);
      return { format, folder: target, architecture: facts.architecture, checkpoint, files, checks };
    });
  } catch (error) {
    throw fileError(error, target);
  }
}

async function checkEmpty(folder: string): Promise<void> {
  let found: string[];
  try {
    found = await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    if (code !== 'ENOTDIR') throw fileError(error, folder);
    found = ['a file'];
  }
  if (found.length === 0) return;
  throw new BenchError('PATH_INVALID', `--out ${folder} cannot be used: it holds ${found[0]} already.`, {
    hint: 'Name a folder that is not there yet.',
  });
}

/** Names seen from the folder, sorted. */
async function describeFiles(folder: string): Promise<DataFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const files: DataFile[] = [];
  for (const file of paths.sort()) {
    const name = path.relative(folder, file).split(path.sep).join('/');
    files.push({ ...(await describeFile(file)), name });
  }
  return files;
}
