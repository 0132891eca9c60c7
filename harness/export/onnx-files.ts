/** The format `onnx`: an ONNX model per side, token ids in, the architecture's vectors out; checked before it is done. */
import path from 'node:path';
import { writeAtomic, writeJson } from '../store/atomic.js';
import { writeTokenModel } from '../tensor/onnx/token-model.js';
import type { TokenProgram } from '../tensor/onnx/token-program.js';
import * as tf from '../tensor/operations.js';
import { publishedFiles } from '../text/published-tokenizer.js';
import {
  type ExportTools,
  modelName,
  type Side,
  sides,
  type TrainedRetriever,
  textLimit,
  type VectorCheck,
} from './trained-retriever.js';
import { checkVectors } from './vector-check.js';

/** @throws BenchError EXPORT_FAILED where an encoder has no ONNX form, or its file computes other vectors than ours */
export async function writeOnnxFiles(
  folder: string,
  trained: TrainedRetriever,
  tools: ExportTools,
): Promise<VectorCheck[]> {
  const checks: VectorCheck[] = [];
  for (const side of sides) {
    const stage = tools.progress.stage(`export ${modelName(side)}`);
    const check = await writeModelFile(folder, trained, side, tools);
    checks.push(check);
    stage.end(`largest difference ${check.largestDifference.toExponential(1)}`);
  }
  const { facts, key, retriever, tokenizer } = trained;
  const files = publishedFiles(tokenizer, retriever.encoder.shape.maxTokens);
  for (const [name, content] of Object.entries(files)) await writeAtomic(path.join(folder, name), content);
  await writeJson(path.join(folder, 'export.json'), { checkpoint: key, ...facts, checks });
  return checks;
}

/** Writes one side's model and runs it. */
export async function writeModelFile(
  folder: string,
  trained: TrainedRetriever,
  side: Side,
  tools: ExportTools,
): Promise<VectorCheck> {
  const { bytes, shortest } = writeTokenModel(tokenProgram(trained, side));
  tools.progress.checkInterrupted();
  await writeAtomic(path.join(folder, modelName(side)), bytes);
  return checkVectors(folder, trained, side, shortest, tools);
}

/** The encoder of one side, its output always [B, M, D]. */
function tokenProgram({ retriever, weights, facts, key }: TrainedRetriever, side: Side): TokenProgram {
  const { encoder, parameters } = retriever;
  return {
    weights: parameters.map(({ owner, name, shape }, i) => ({
      name: `${owner}.${name}`,
      shape,
      values: weights[i]!,
    })),
    build(tensors, ids, mask) {
      const input = { ids: ids as tf.Tensor2D, mask: mask as tf.Tensor2D };
      if (side === 'query') return [tf.expandDims(retriever.queries(tensors, input), 1)];
      const { vectors, present } = retriever.searched(tensors, input);
      return present === undefined ? [vectors] : [vectors, present];
    },
    outputs: [
      { name: 'vectors', dtype: 'float32' },
      { name: 'present', dtype: 'int64' },
    ],
    longest: encoder.shape.maxTokens,
    paddingId: encoder.paddingId,
    properties: {
      architecture: facts.architecture,
      checkpoint: key,
      side,
      maxTokens: String(textLimit(facts, side)),
      paddingId: String(encoder.paddingId),
    },
  };
}
