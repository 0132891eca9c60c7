/**
 * Where more of a batch fits the GPU at once than the presets ask for, that is said and not done: the chunk decides the last bits of what is
 * trained, which are not to depend on who has looked at the GPU.
 */
import { counted } from '../counted.js';
import { byteSize } from '../progress.js';
import { fittingChunk, type TrainingSize } from './training-memory.js';

/**
 * @param chunk texts of the chunk that is trained with; null for a whole batch
 * @param memoryMiB of the GPU, as nvidia-smi says; undefined where it is not known
 * @returns a line for people; undefined where nothing larger fits
 */
export function largerChunkText(
  size: TrainingSize,
  chunk: number | null,
  memoryMiB: number | undefined,
): string | undefined {
  if (chunk === null || memoryMiB === undefined) return undefined;
  const fitting = fittingChunk(memoryMiB, size);
  if (fitting !== null && fitting <= chunk) return undefined;
  const larger = fitting === null ? 'whole batches' : `chunks of ${counted(fitting, 'texts')}`;
  return `training by chunks of ${counted(chunk, 'texts')}; nvidia-smi says that the GPU has ${byteSize(memoryMiB * 2 ** 20)}: --set deviceMemoryMiB=${memoryMiB} would train by ${larger}`;
}
