/** A small retriever and made-up training examples, for tests of training. */
import type { ArchitectureOptions } from '../harness/contracts.js';
import { Retriever } from '../harness/model/retriever.js';
import { initialWeights } from '../harness/model/retriever-files.js';
import { scratchEncoder } from '../harness/model/scratch.js';
import { loadArchitecture } from '../harness/plugins.js';
import { stream } from '../harness/random.js';
import type { TrainingExample } from '../harness/train/batches.js';

const vocabularySize = 60;

export async function madeRetriever(
  name: string,
  {
    tied = true,
    dropout = 0.1,
    maxTokens = 16,
    options = {},
    similarity,
  }: {
    tied?: boolean;
    dropout?: number;
    maxTokens?: number;
    options?: ArchitectureOptions;
    similarity?: 'cosine';
  } = {},
) {
  const sizes = {
    layers: 2,
    dimensions: 16,
    heads: 2,
    intermediate: 32,
    vocabularySize,
    maxTokens,
    dropout,
  };
  const { encoder, weights } = scratchEncoder(sizes, 7);
  const loaded = await loadArchitecture(name);
  const resolved = loaded.family.resolve(options, encoder.shape, loaded.pooling?.shortName);
  const retriever = new Retriever(encoder, tied, {
    ...loaded,
    resolved: { ...resolved, ...(similarity && { similarity }) },
  });
  return { retriever, initial: initialWeights(retriever, weights) };
}

/** Each query shares its first two words with its positive, and one of them with its negative. */
export function madeExamples(count: number, seed = 1, negatives = 1): TrainingExample[] {
  const random = stream(seed, 'examples');
  const word = () => 5 + random.integer(vocabularySize - 5);
  const words = (length: number) => Array.from({ length }, word);
  return Array.from({ length: count }, (_, i) => {
    const [a, b] = [word(), word()];
    return {
      queryId: `q${i}`,
      query: Int32Array.from([2, a, b, 3]),
      positive: Int32Array.from([2, a, ...words(random.integer(4)), b, 3, ...words(2), 3]),
      negatives: Array.from({ length: negatives }, () => Int32Array.from([2, a, ...words(3), 3])),
    };
  });
}

/** One negative each, and texts of all lengths up to the longest. @param longest tokens of a passage */
export function mixedExamples(count: number, longest: number): TrainingExample[] {
  const random = stream(1, 'mixed');
  const text = (length: number) => Int32Array.from({ length }, () => 5 + random.integer(35));
  const between = (least: number, most: number) => least + random.integer(most - least + 1);
  return Array.from({ length: count }, (_, i) => ({
    queryId: `q${i}`,
    query: text(between(2, 24)),
    // Far apart in the batch, so that chunks in its order would all be long.
    positive: text(i % 3 === 0 ? between(Math.ceil(longest * 0.8), longest) : between(3, 15)),
    negatives: [text(between(3, Math.ceil(longest / 2)))],
  }));
}
