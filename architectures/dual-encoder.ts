/** Dual encoder (Karpukhin et al. 2020): one vector per passage, h_0^(L). The baseline. */
import type { ArchitectureFamily, Tensor3D } from '../harness/contracts.js';
import { refuseLastLayer, vectorsProblem } from '../harness/model/architecture-options.js';
import * as tf from '../harness/tensor/operations.js';

const nothingToPool = 'a dual encoder has one vector per passage, so there is nothing to pool';

const dualEncoder: ArchitectureFamily = {
  summary: 'one vector per passage: [CLS] of the last layer (T5: its mean)',
  poolings: { sc: nothingToPool, avg: nothingToPool, mix: nothingToPool },

  resolve(options, encoder) {
    refuseLastLayer(options, encoder, vectorsProblem(options, 1, 'a dual encoder'));
    return { layers: [encoder.layers], vectors: 1, lambda: 0 };
  },

  represent(states) {
    const summary = states.summary(states.hidden.length - 1); // [B, D]
    return { vectors: tf.expandDims(summary, 1) as Tensor3D }; // [B, 1, D]
  },
};

export default dualEncoder;
