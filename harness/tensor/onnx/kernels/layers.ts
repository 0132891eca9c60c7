/** Layers that ONNX has as one operator; layers.ts uses them where a backend has them. */
import { graph, kernel, node } from '../writing.js';

kernel('LayerNormalization', ({ x, gamma, beta }, { epsilon }) => {
  const statistics = { shape: [...x!.shape.slice(0, -1), 1], dtype: 'float32' as const };
  const outputs = [{ shape: x!.shape, dtype: 'float32' as const }, statistics, statistics];
  return graph().nodes('LayerNormalization', [x, gamma, beta], outputs, {
    axis: -1,
    epsilon: { float: Number(epsilon) },
  });
});
/** x W^T + b; the bias is in place before the product is summed up, which spares one pass over the output. */
kernel('Linear', ({ x, weight, bias }) =>
  node('Gemm', [x, weight, bias], [x!.shape[0]!, weight!.shape[0]!], 'float32', { transB: 1 }),
);
