/** Dev of made-up examples, ready to be judged by a small model. */
import type { ArchitectureOptions } from '../harness/contracts.js';
import { openEngine } from '../harness/tensor/engines.js';
import type { TrainingExample } from '../harness/train/batches.js';
import type { RankPool, RankTies } from '../harness/train/rank-pool.js';
import { Validation } from '../harness/train/validation.js';
import { madeRetriever } from './made-training.js';

export const engine = await openEngine('onnx');

interface Asked {
  name?: string;
  options?: ArchitectureOptions;
  similarity?: 'cosine';
  examples: readonly TrainingExample[];
  negatives?: number;
  batchSize?: number;
  missingNegative?: 'left-out' | 'padded';
  pool?: RankPool;
  ties?: RankTies;
  temperature?: number;
}

export async function validationOf({ name = 'dual-encoder', options = {}, ...asked }: Asked) {
  const { similarity } = asked;
  const { retriever, initial } = await madeRetriever(name, {
    ...{ dropout: 0, options },
    ...(similarity && { similarity }),
  });
  const parameters = engine.variables(initial.map((values) => values.length));
  for (const [i, variable] of parameters.variables.entries()) {
    // Short vectors: of long ones the largest score would have the whole softmax to itself.
    const scale = /\d\.output\.LayerNorm\.weight$/.test(retriever.parameters[i]!.name) ? 0.3 : 1;
    variable.write(initial[i]!.map((value) => scale * value));
  }
  const sizes = { maxQueryTokens: 16, maxPassageTokens: 16, batchTokens: 64 };
  const usual = { negatives: 1, batchSize: 8, missingNegative: 'left-out', seed: 3 } as const;
  const validation = new Validation({ engine, retriever, parameters, ...sizes, ...usual, ...asked });
  return { retriever, parameters, validation };
}
