/** Encoding the collection by a learned sparse model: shards whose rows are tokens and their weights. */
import type { BenchConfig } from '../config/config.js';
import { weightColumns } from '../index/token-weights.js';
import { modelOf } from '../pipeline/sparse-model.js';
import { type EncodedForm, encode, type ShardFacts } from './encode.js';
import type { ModelNeed, Stage } from './graph.js';
import type { Known } from './known.js';

const asWeights: EncodedForm = {
  version: 'token weights 1',
  code: 'sparse encode',
  of(opened, encoder) {
    const { retriever, texts } = modelOf(opened);
    return {
      perPassage: 'varies',
      encoder: {
        dimensions: weightColumns,
        // A number for each word comes out of a program; what is kept of them is little, but that is seen only then.
        mostVectors: retriever.dimensions,
        encode: async (window) =>
          retriever.weightsOf((await encoder.encode(window.map(texts.passage))).vectors),
      },
    };
  },
};

/** Every weight is kept: how many of them count is the say of the index. */
export const encodeWeights = (
  model: ModelNeed,
  config: Pick<BenchConfig, 'encode'>,
  known: Known,
): Stage<ShardFacts> => encode(model, config, known, asWeights);
