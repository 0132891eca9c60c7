/** A folder for one measurement, which goes again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { closing } from '../closing.js';
import type { Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';

/** @param name told in the folder's own */
export async function inFolder<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(tmpdir(), `strata-${name}-`));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The same, beside an engine on the processor. */
export function inFolderOnEngine<T>(work: (folder: string, engine: Engine) => Promise<T>): Promise<T> {
  return inFolder('perf', async (folder) =>
    closing(await openEngine('onnx'), (engine) => work(folder, engine)),
  );
}
