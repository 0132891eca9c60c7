/** Encoding the collection. */

import type { BenchConfig } from '../config/config.js';
import { passagesFrom } from '../dataset/reading.js';
import {
  type EncodeRequest,
  encodeCollection,
  encodeShard,
  type ShardRequest,
  shardsOf,
} from '../encode/encode.js';
import { adoptShard } from '../index/shard-files.js';
import { openEncoder } from '../pipeline/open-model.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import type { EncoderOfModel, ModelNeed, Stage, Workplace } from './graph.js';
import type { Known } from './known.js';

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
  const encoded = <T>(
    folder: string,
    at: Workplace,
    work: (request: EncodeRequest & ShardRequest) => Promise<T>,
  ) => {
    const which: EncoderOfModel = {
      name: `passages ${batchTokens} ${precision}`,
      open: (opened) => openEncoder(opened, 'passage', at.engine, { batchTokens, precision }),
    };
    return at.withEncoder(model, which, ({ retriever, texts, maxTokens }, encoder) => {
      const vectorsPerPassage = retriever.indexedVectors;
      return work({
        passages: at.dataset.passages(),
        passagesFrom: (ordinal) => passagesFrom(at.dataset.passages(), ordinal),
        count: at.dataset.passageCount,
        encoder: {
          dimensions: retriever.dimensions,
          mostVectors: vectorsPerPassage === 'varies' ? maxTokens.passage + 1 : vectorsPerPassage,
          encode: (window) => encoder.encode(window.map(texts.passage)),
        },
        vectorsPerPassage,
        folder,
        shardPassages,
        memoryBytes: memoryMiB * 2 ** 20,
        progress: at.progress,
      });
    });
  };
  return {
    name: 'encode',
    kind: 'shards',
    version: 'shards 4',
    task: 'encode',
    needs: { model: model.need },
    inputs: () => ({
      dataset: dataset.identity,
      ...code('encode', { dataset, engine, precision, ...model.code }),
      ...computing,
      // Texts that are encoded together decide the last bits of each other's vectors.
      ...{ shardPassages, batchTokens, memoryMiB },
      ...otherPrecision(precision),
    }),
    about: { dataset: dataset.name, system: model.name },
    async pieces(at) {
      const { length: count } = shardsOf({ count: at.dataset.passageCount, shardPassages });
      return {
        count,
        nameOf: (piece) => `shard ${piece + 1} of ${count}`,
        make: (folder, piece) => encoded(folder, at, (request) => encodeShard(request, piece)),
        join: (folder, piece, number) => adoptShard(piece, folder, number),
      };
    },
    async make(folder, at) {
      const { vectors } = await encoded(folder, at, encodeCollection);
      return { vectors, weights: (await at.model(model)).key };
    },
  };
}
