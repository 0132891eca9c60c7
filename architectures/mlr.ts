/** Multi-layer representations (Xie and Lukasiewicz), equation (1): one vector from each of several layers. */
import type { ArchitectureFamily, Tensor3D } from '../harness/contracts.js';
import { chooseLambda, refuse } from '../harness/model/architecture-options.js';
import { chooseLayers } from '../harness/model/layer-choice.js';
import * as tf from '../harness/tensor/operations.js';

/** The paper's best sets of a 12-layer encoder: figure 2 for multi-vector search, table 8 for one vector. */
const multiVectorLayers = [8, 12];
const singleVectorLayers = [10, 12];

/**
 * Row r is layer S[m - 1 - r]: the last layer first, then down. alpha of scalar mix has the same order.
 * lambda is 0.1 where S holds every layer, else 1; an encoder of one or two layers, whose {1, 2} stands for {10, 12},
 * keeps 1.
 */
const mlr: ArchitectureFamily = {
  summary: 'a vector from each of several layers: their [CLS] (T5: their means)',
  poolings: { sc: true, avg: true, mix: true },

  resolve(options, encoder, pooling) {
    const defaults = pooling === undefined ? multiVectorLayers : singleVectorLayers;
    const { layers, problems } = chooseLayers(options, encoder.layers, defaults);
    refuse(options, problems);
    const everyLayer = layers.length === encoder.layers && layers.length > 2;
    return { layers, vectors: layers.length, lambda: chooseLambda(options, pooling, everyLayer ? 0.1 : 1) };
  },

  represent(states, { layers }) {
    const rows = layers.toReversed().map((layer) => states.summary(layer)); // m times [B, D]
    return { vectors: tf.stack(rows, 1) as Tensor3D }; // [B, m, D]
  },

  vectorName: (row, { layers }) => `layer ${layers.at(-1 - row)}`,
};

export default mlr;
