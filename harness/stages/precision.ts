/** How records and the inputs of stages have the precision that passages and queries are encoded in. */
import type { Precision } from '../contracts.js';

/** Nothing of the usual one: what was made before there were others is what it makes. */
export const otherPrecision = (precision: Precision): { precision?: Exclude<Precision, 'float32'> } =>
  precision === 'float32' ? {} : { precision };
