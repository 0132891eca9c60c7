/**
 * The format `safetensors`: a folder per encoder that transformers loads, beside what makes of them a retriever. The
 * whole is again a checkpoint of ours.
 */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { loadRetrieverWeights, saveRetriever } from '../model/retriever-files.js';
import { publishedFiles } from '../text/published-tokenizer.js';
import type { TrainedRetriever, VectorCheck } from './trained-retriever.js';

/** @throws BenchError EXPORT_FAILED where the weights read back are others */
export async function writeHuggingFaceFiles(
  folder: string,
  { retriever, weights, facts, tokenizer }: TrainedRetriever,
): Promise<VectorCheck[]> {
  const files = publishedFiles(tokenizer, retriever.encoder.shape.maxTokens);
  await saveRetriever(folder, retriever, weights, files, facts);
  const found = await loadRetrieverWeights(folder, retriever, facts);
  for (const [i, { owner, name }] of retriever.parameters.entries()) {
    if (bytesOf(found[i]!).equals(bytesOf(weights[i]!))) continue;
    const file = path.basename(folder);
    throw new BenchError(
      'EXPORT_FAILED',
      `${owner}/${name} read back from ${file} is not what was written.`,
      { hint: 'The disk may be failing: try another folder.' },
    );
  }
  return [];
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
