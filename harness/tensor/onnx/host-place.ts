/** Programs on the CPU, and variables in this process's memory. */
import type { InferenceSession } from 'onnxruntime-node';
import type { BusyClock } from './busy-clock.js';
import { fuseLayers } from './fused-layers.js';
import { type ConstantArray, prune, type Value } from './graph.js';
import { HostProgram, HostVariable, hostVariables } from './host-program.js';
import { withoutIdleReshapes } from './idle-reshapes.js';
import { refuseUnknown } from './known-operators.js';
import { plansMemory } from './memory-plan.js';
import { writeModel } from './model-file.js';
import { askedOf, type Place, productsOf, refusal } from './place.js';
import { assertRewritten, loadPrecision, rewriteTraining, usualPrecision } from './precision.js';
import { stableProducts } from './product-order.js';
import { record } from './recorder.js';
import type { Ort } from './runtime.js';

/** On the CPU. */
export const inMemory = (ort: Ort, options: InferenceSession.SessionOptions, clock: BusyClock): Place => ({
  async compile(build, inputs, asked) {
    const { fixed, name, precision, overflowing, trained } = askedOf(asked);
    const plugin = await loadPrecision(precision);
    // Matrices of weights are rewritten once the program is known; what is one-dimensional is added, and stays as it is.
    const isMatrix = (i: number) =>
      precision !== usualPrecision && fixed.has(i) && inputs[i]!.shape.length > 1;
    const baked = new Map([...fixed].filter(([i]) => !isMatrix(i)));
    const { graph, outputs: recorded } = record(build, inputs, baked);
    const outputs = withoutIdleReshapes(recorded);
    fuseLayers(outputs);
    const open = inputs.flatMap((_, i) => (baked.has(i) ? [] : [i]));
    const products = productsOf(graph, outputs, open, { fixed, isMatrix, overflowing });
    const given = graph.inputs.filter((value) => !products.weights.has(value));
    const bound: Map<Value, ConstantArray> = trained
      ? rewriteTraining(plugin, 'cpu', products, inputs, trained)
      : ((await plugin?.inMemory(ort, products)) ?? new Map());
    stableProducts(graph, outputs);
    const { nodes, used } = prune(outputs);
    if (plugin !== undefined) assertRewritten(precision, { nodes, used, inputs: graph.inputs, given, bound });
    refuseUnknown(nodes, name);
    // One name per output: two outputs may be the same value.
    const model = writeModel(graph, nodes, used, [...new Set(outputs)]);
    const fed = given.map((value) => (used.has(value) ? value : undefined));
    try {
      const session = await ort.InferenceSession.create(model, {
        ...options,
        enableMemPattern: plansMemory(nodes),
      });
      return new HostProgram(ort, session, { fed, bound }, outputs, clock);
    } catch (cause) {
      throw refusal(name, cause);
    }
  },
  variables: hostVariables,
  // In this process's memory a variable is its array, however often it is asked for.
  resident: (values) => new HostVariable(values),
  release() {},
  async dispose() {},
});
