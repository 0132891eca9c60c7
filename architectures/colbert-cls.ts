/** ColBERT (Khattab and Zaharia 2020) with the query's [CLS] alone: every token vector of the last layer. */
import type { ArchitectureFamily, Tensor2D, Tensor3D } from '../harness/contracts.js';
import {
  chooseLambda,
  chooseMeanFirst,
  refuseLastLayer,
  vectorsProblem,
} from '../harness/model/architecture-options.js';
import * as tf from '../harness/tensor/operations.js';

/**
 * [CLS], [SEP], title and punctuation count as tokens; padding does not. Row 0 is [CLS]. T5 has none: its mean vector
 * stands first, before the tokens' own, so that row 0 can stand alone here too; with `arch.meanFirst` off it is left out.
 */
const colbertCls: ArchitectureFamily = {
  summary: 'every token vector of the last layer; the query is one vector',
  poolings: {
    sc: true,
    avg: true,
    mix: 'the number of vectors varies with the passage, and scalar mix learns one weight for each of a fixed number',
  },

  resolve(options, encoder, pooling) {
    refuseLastLayer(options, encoder, vectorsProblem(options, 'varies', 'ColBERT'));
    const lambda = chooseLambda(options, pooling, 0.01);
    return {
      layers: [encoder.layers],
      vectors: 'varies',
      lambda,
      meanFirst: chooseMeanFirst(options, encoder),
    };
  },

  represent(states, { meanFirst }) {
    const { hidden, mask } = states;
    const layer = hidden.length - 1;
    if (!meanFirst) return { vectors: hidden[layer]!, present: mask };
    const mean = tf.expandDims(states.summary(layer), 1); // [B, 1, D]
    return {
      vectors: tf.concat([mean, hidden[layer]!], 1) as Tensor3D, // [B, 1 + T, D]
      present: tf.concat([tf.ones([mask.shape[0], 1]), mask], 1) as Tensor2D, // [B, 1 + T]
    };
  },

  vectorName: (row, { meanFirst }) =>
    meanFirst && row === 0 ? 'mean' : `token ${meanFirst ? row : row + 1}`,
};

export default colbertCls;
