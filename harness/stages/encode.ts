/** Encoding the collection. */
import type { BenchConfig } from '../config/config.js';
import { encodeCollection } from '../encode/encode.js';
import { openEncoder } from '../pipeline/open-model.js';
import type { ModelNeed, Stage } from './graph.js';
import type { Known } from './known.js';
import { otherPrecision } from './precision.js';

export interface ShardFacts {
  vectors: number;
  /** Content key of the model. */
  weights: string;
}

export function encode(
  model: ModelNeed,
  { encode: { shardPassages, batchTokens, memoryMiB, precision } }: Pick<BenchConfig, 'encode'>,
  { dataset, engine, computing, code }: Known,
): Stage<ShardFacts> {
  return {
    name: 'encode',
    kind: 'shards',
    version: 'shards 4',
    needs: { model: model.need },
    inputs: () => ({
      dataset: dataset.identity,
      ...code('encode', { dataset, engine, ...model.code }),
      ...computing,
      // Texts that are encoded together decide the last bits of each other's vectors.
      ...{ shardPassages, batchTokens, memoryMiB },
      ...otherPrecision(precision),
    }),
    about: { dataset: dataset.name, system: model.name },
    async make(folder, at) {
      const { dataset, engine, progress } = at;
      const opened = await at.model(model);
      const { retriever, texts, maxTokens } = opened;
      const vectorsPerPassage = retriever.indexedVectors;
      const encoder = openEncoder(opened, 'passage', engine, { batchTokens, precision });
      try {
        const { vectors } = await encodeCollection({
          passages: dataset.passages(),
          count: dataset.passageCount,
          encoder: {
            dimensions: retriever.dimensions,
            mostVectors: vectorsPerPassage === 'varies' ? maxTokens.passage + 1 : vectorsPerPassage,
            encode: (window) => encoder.encode(window.map(texts.passage)),
          },
          vectorsPerPassage,
          folder,
          shardPassages,
          memoryBytes: memoryMiB * 2 ** 20,
          progress,
        });
        return { vectors, weights: opened.key };
      } finally {
        await encoder.dispose();
      }
    },
  };
}
