/** The weights of what a checkpoint has beside its encoder. */
import { readdir } from 'node:fs/promises';
import { closing } from '../closing.js';
import type { Encoder } from './encoder.js';
import { findTensors, readWeights, refuseUnfound } from './stored-weights.js';
import { TensorSource } from './tensor-source.js';

/** A head: its parameters by their whole names in the checkpoint, and the encoder that it stands on. */
export type Head = Pick<Encoder, 'parameters' | 'shape'>;

/** From the headers alone. @throws BenchError CHECKPOINT_INVALID with every tensor that is missing or misshapen */
export const describeHeadOf = (folder: string, head: Head): Promise<void> =>
  withHead(folder, head, async (source, stored) => refuseUnfound(source, head, stored));

/** @throws BenchError CHECKPOINT_INVALID with every tensor that is missing, misshapen or not finite */
export const readHead = (
  folder: string,
  head: Head,
): Promise<{ weights: Float32Array[]; remarks: string[] }> =>
  withHead(folder, head, (source, stored) => readWeights(source, head, stored));

async function withHead<T>(
  folder: string,
  head: Head,
  use: (source: TensorSource, stored: ReturnType<typeof findTensors>) => Promise<T>,
): Promise<T> {
  return closing(await TensorSource.open(folder, await readdir(folder)), (source) =>
    use(
      source,
      findTensors(source, head, '', (name) => [name]),
    ),
  );
}
