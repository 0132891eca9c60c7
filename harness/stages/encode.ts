/** Encoding the collection. */

import type { BenchConfig } from '../config/config.js';
import { passagesFrom } from '../dataset/reading.js';
import {
  type EncodeRequest,
  encodeCollection,
  encodeShard,
  type PassageEncoder,
  type ShardRequest,
  shardsOf,
} from '../encode/encode.js';
import { adoptShard } from '../index/shard-files.js';
import type { VectorEncoder } from '../model/vector-encoder.js';
import { type OpenModel, openEncoder } from '../pipeline/open-model.js';
import { otherPrecision } from '../tensor/onnx/precision.js';
import type { StageOf } from './code.js';
import type { EncoderOfModel, ModelNeed, Stage, Workplace } from './graph.js';
import type { Known } from './known.js';

export interface ShardFacts {
  vectors: number;
  /** Content key of the model. */
  weights: string;
}

/** What of a model's passages is kept in the rows of shards. */
export interface EncodedForm {
  readonly version: string;
  readonly code: StageOf;
  /** @param opened the model, as it is open here @param encoder of its passages */
  of(opened: OpenModel, encoder: VectorEncoder): { encoder: PassageEncoder; perPassage: number | 'varies' };
}

const asVectors: EncodedForm = {
  version: 'shards 4',
  code: 'encode',
  of({ retriever, texts, maxTokens }, encoder) {
    const perPassage = retriever.indexedVectors;
    return {
      perPassage,
      encoder: {
        dimensions: retriever.dimensions,
        mostVectors: perPassage === 'varies' ? maxTokens.passage + 1 : perPassage,
        encode: (window) => encoder.encode(window.map(texts.passage)),
      },
    };
  },
};

export function encode(
  model: ModelNeed,
  { encode: { shardPassages, batchTokens, memoryMiB, precision } }: Pick<BenchConfig, 'encode'>,
  { dataset, engine, computing, code }: Known,
  form: EncodedForm = asVectors,
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
    return at.withEncoder(model, which, (opened, own) => {
      const { encoder, perPassage: vectorsPerPassage } = form.of(opened, own);
      return work({
        passages: at.dataset.passages(),
        passagesFrom: (ordinal) => passagesFrom(at.dataset.passages(), ordinal),
        count: at.dataset.passageCount,
        ...{ encoder, vectorsPerPassage },
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
    version: form.version,
    task: 'encode',
    needs: { model: model.need },
    inputs: () => ({
      dataset: dataset.identity,
      ...code(form.code, { dataset, engine, precision, ...model.code }),
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
