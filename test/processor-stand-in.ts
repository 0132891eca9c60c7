/** The way to CUDA with the processor in CUDA's place: all that is called is the same but for two names. For tests. */
import { cudaRewritings } from '../harness/tensor/onnx/device-operators.js';
import type { DeviceRuntime } from '../harness/tensor/onnx/device-runtime.js';
import { openOnnx } from '../harness/tensor/onnx/engine.js';
import { openNative } from '../harness/tensor/onnx/native-runtime.js';

export const standInRuntime = async (): Promise<DeviceRuntime> => ({
  // Every session has the processor, which refuses to be told that nothing may run on it.
  ort: await openNative({ name: 'CPUExecutionProvider', memory: 'Cpu', append() {} }),
  rewritings: cudaRewritings,
  largestArrayBytes: 2 ** 27,
  sessionEntries: {},
});

/** An engine that takes itself for one on CUDA. */
export const openStandIn = () => openOnnx(1, 'cuda', standInRuntime);
