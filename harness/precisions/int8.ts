import { integerLimit } from '../tensor/onnx/integer-limit.js';
import type { PrecisionPlugin } from '../tensor/onnx/precision.js';
import { useIntegers } from './int8/products.js';

/** Weights and what they are multiplied with become integers of 8 bits, whose products are added up in 32. */
const int8: PrecisionPlugin = {
  summary: "products of integers, added up exactly; the engine 'onnx' on the CPU",
  devices: ['cpu'],
  where: 'on the CPU',
  hint: 'Give --engine onnx --device cpu',
  inMemory: async (ort, { graph, outputs, weights }) =>
    useIntegers(graph, outputs, { weights, limit: await integerLimit(ort) }),
};

export default int8;
