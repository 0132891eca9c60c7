/** From a trained checkpoint to files for other tools. */
import { closing } from '../closing.js';
import { type ExportFacts, type ExportFormat, exportRetriever } from '../export/export-folder.js';
import { encoderFolder } from '../model/retriever-files.js';
import type { Progress } from '../progress.js';
import { openEngine } from '../tensor/engines.js';
import { loadTokenizer } from '../text/tokenizer-folder.js';
import { noteUnchecked, openCheckpoint } from './checkpoint.js';

export interface ExportRequest {
  /** Folder of a trained checkpoint. */
  checkpoint: string;
  format: ExportFormat;
  /** Folder to be made. */
  out: string;
  /** What makes the vectors that the exported ones are held against. */
  engine: string;
}

/** @throws BenchError CHECKPOINT_INVALID, PATH_INVALID, EXPORT_FAILED */
export async function exportCheckpoint(request: ExportRequest, progress: Progress): Promise<ExportFacts> {
  const checkpoint = await openCheckpoint(request.checkpoint);
  await noteUnchecked(request.checkpoint, progress);
  const tokenizer = await loadTokenizer(encoderFolder(request.checkpoint, checkpoint.facts));
  return closing(await openEngine(request.engine), async (engine) => {
    const { out, format } = request;
    return await exportRetriever({ ...checkpoint, tokenizer }, format, out, { engine, progress });
  });
}
