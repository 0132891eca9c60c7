/** CUDA where it is here, and the way to it with the processor in its place: all that is called is the same but for two names. For tests. */
import { openEngine } from '../harness/tensor/engines.js';
import { cudaRewritings } from '../harness/tensor/onnx/device-operators.js';
import type { DeviceRuntime } from '../harness/tensor/onnx/device-runtime.js';
import { assertDevice } from '../harness/tensor/onnx/devices.js';
import { openOnnx } from '../harness/tensor/onnx/engine.js';
import { loadKoffi } from '../harness/tensor/onnx/native-api.js';
import { openNative } from '../harness/tensor/onnx/native-runtime.js';

/** Why the C API cannot be called here: npm leaves koffi out where it cannot be downloaded. */
export const withoutKoffi = await loadKoffi().then(
  () => false as const,
  (error: Error) => error.message,
);

export const standInRuntime = async (): Promise<DeviceRuntime> => ({
  // Every session has the processor, which refuses to be told that nothing may run on it.
  ort: await openNative({ name: 'CPUExecutionProvider', memory: 'Cpu', append() {} }),
  rewritings: cudaRewritings,
  largestArrayBytes: 2 ** 27,
  hasInt64: true,
  extra: { session: {}, optimization: {} },
});

/** An engine that takes itself for one on CUDA. */
export const openStandIn = () => openOnnx(1, 'cuda', standInRuntime);

/** In whose place it stands; skips on machines without. */
export const cudaDevices = async () => [
  { name: "CUDA's stand-in", skip: withoutKoffi, open: openStandIn },
  {
    name: 'CUDA',
    skip: await assertDevice('cuda').then(
      () => false as const,
      (error: Error) => error.message,
    ),
    open: () => openEngine('onnx', { threads: 1, device: 'cuda' }),
  },
];
