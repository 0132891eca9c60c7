/** The weights of what a checkpoint has beside its encoder. */
import { readdir } from 'node:fs/promises';
import { closing } from '../closing.js';
import { BenchError } from '../errors.js';
import type { Parameter } from './encoder.js';
import { notFinite } from './stored-weights.js';
import { TensorSource } from './tensor-source.js';

/**
 * @param parameters by their whole names in the checkpoint
 * @param reads false where the headers alone are looked at: then nothing comes back
 * @throws BenchError CHECKPOINT_INVALID with every tensor that is missing, misshapen or not finite
 */
export async function headWeights(
  folder: string,
  parameters: readonly Parameter[],
  reads: boolean,
): Promise<Float32Array[]> {
  return closing(await TensorSource.open(folder, await readdir(folder)), async (source) => {
    const problems: string[] = [];
    const weights: Float32Array[] = [];
    for (const { name, shape } of parameters) {
      const found = source.shapeOf(name);
      if (found === undefined) problems.push(`${name} is missing; expected [${shape}]`);
      else if (found.join() !== shape.join()) problems.push(`${name} is [${found}]; expected [${shape}]`);
      else if (reads) {
        const values = await source.read(name);
        const fault = notFinite(name, values);
        if (fault !== undefined) problems.push(fault);
        weights.push(values);
      }
    }
    if (problems.length === 0) return weights;
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${folder} has no head that scores a pair: ${problems.length} of ${parameters.length} tensors:${problems.map((each) => `\n  - ${each}`).join('')}`,
      {
        hint: "A cross-encoder is trained as transformers' ForSequenceClassification: see that the weights belong to its config.json.",
      },
    );
  });
}
