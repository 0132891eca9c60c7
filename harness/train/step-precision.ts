/** What a step's programs compute in: in another precision than float32 products with weights do, and the loss has a scale. */
import type { Retriever } from '../model/retriever.js';
import type { ArraySpec, CompileOptions, NumericArray } from '../tensor/engine.js';
import { usualPrecision } from '../tensor/onnx/precision.js';

/** Of a step: float32 where it has none. */
interface Computed {
  readonly precision?: string;
}

const other = ({ precision }: Computed) => (precision === usualPrecision ? undefined : precision);

/** What a program takes behind all else whose loss has a scale. */
export const scaleSpecs = (step: Computed): ArraySpec[] =>
  other(step) === undefined ? [] : [{ shape: [], dtype: 'float32' }];
export const scaleFeeds = (step: Computed, lossScale: number): NumericArray[] =>
  other(step) === undefined ? [] : [Float32Array.of(lossScale)];

/**
 * What a program computes in whose first inputs are all parameters. The pooling's own are float32, as the loss is.
 * @param gradientOf which output is the gradient of a parameter; undefined where there is none
 */
export function productsIn(
  step: Computed & { readonly retriever: Pick<Retriever, 'parameters'> },
  gradientOf: (parameter: number) => number | undefined = () => undefined,
): CompileOptions {
  const precision = other(step);
  if (precision === undefined) return {};
  const trained = step.retriever.parameters.flatMap(({ owner, overflowsHalf }, i) =>
    owner === 'pooling' || overflowsHalf === true ? [] : [[i, gradientOf(i)] as const],
  );
  return { precision, trained: new Map(trained) };
}
