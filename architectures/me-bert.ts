/** ME-BERT (Luan et al. 2021): the first m token vectors of the last layer. */
import type { ArchitectureFamily, Tensor, Tensor2D, Tensor3D } from '../harness/contracts.js';
import { chooseLambda, chooseMeanFirst, refuseLastLayer } from '../harness/model/architecture-options.js';
import * as tf from '../harness/tensor/operations.js';

const defaultVectors = 8;

/**
 * With T5, which has no [CLS], row 0 is the mean vector and the first m - 1 token vectors follow. With `arch.meanFirst` off
 * they are the first m token vectors, as with BERT: footnote 4 of the paper tried both.
 * A passage of fewer tokens has fewer vectors (`arch.maskShort`, on by default). Switched off, as in the paper's code,
 * its padding takes part as far as its batch is padded, so that its vectors depend on the batch.
 */
const meBert: ArchitectureFamily = {
  summary: 'the first m token vectors of the last layer, m = 8',
  poolings: { sc: true, avg: true, mix: true },

  resolve(options, encoder, pooling) {
    const vectors = options.vectors ?? defaultVectors;
    const meanFirst = chooseMeanFirst(options, encoder);
    const most = encoder.maxTokens + (meanFirst ? 1 : 0);
    const tooMany = `arch.vectors: ${vectors} is more than the ${most} vectors that the longest passage can have`;
    refuseLastLayer(options, encoder, vectors > most ? [tooMany] : []);
    const lambda = chooseLambda(options, pooling, 1);
    return { layers: [encoder.layers], vectors, lambda, maskShort: options.maskShort ?? true, meanFirst };
  },

  represent(states, { vectors, maskShort, meanFirst }) {
    const layer = states.hidden.length - 1;
    const [batch, tokens, dimensions] = states.hidden[layer]!.shape;
    const m = vectors as number;
    const own = Math.min(m - (meanFirst ? 1 : 0), tokens);
    const vectorParts: Tensor[] = [];
    const presentParts: Tensor[] = [];
    if (meanFirst) {
      vectorParts.push(tf.expandDims(states.summary(layer), 1)); // [B, 1, D]
      presentParts.push(tf.ones([batch, 1]));
    }
    if (own > 0) {
      vectorParts.push(tf.slice(states.hidden[layer]!, [0, 0, 0], [batch, own, dimensions])); // [B, own, D]
      presentParts.push(maskShort ? tf.slice(states.mask, [0, 0], [batch, own]) : tf.ones([batch, own]));
    }
    const missing = m - own - (meanFirst ? 1 : 0);
    if (missing > 0) {
      vectorParts.push(tf.zeros([batch, missing, dimensions]));
      presentParts.push(tf.zeros([batch, missing]));
    }
    return {
      vectors: concatenate(vectorParts) as Tensor3D, // [B, m, D]
      ...((maskShort || missing > 0) && { present: concatenate(presentParts) as Tensor2D }), // [B, m]
    };
  },

  vectorName: (row, { meanFirst }) =>
    meanFirst && row === 0 ? 'mean' : `token ${meanFirst ? row : row + 1}`,
};

/** Along the axis of vectors. */
function concatenate(parts: readonly Tensor[]): Tensor {
  return parts.length === 1 ? parts[0]! : tf.concat([...parts], 1);
}

export default meBert;
