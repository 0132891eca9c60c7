/** How records and the inputs of stages have the precision that something is trained or encoded in. */
import { usualPrecision } from '../tensor/onnx/precision.js';

/** Nothing of the usual one: what was made before there were others is what it makes. */
export const otherPrecision = (precision: string): { precision?: string } =>
  precision === usualPrecision ? {} : { precision };
