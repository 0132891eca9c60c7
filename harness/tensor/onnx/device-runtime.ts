/** What differs between the devices that ONNX Runtime computes on: how it is called there, and what it has kernels for. */
import type { DeviceName } from '../engine.js';
import { cudaRewritings, type Rewritings, webgpuRewritings } from './device-operators.js';
import { boundBytes, largestArray } from './device-trial.js';
import type { NativeApi } from './native-api.js';
import { type DeviceOrt, openNative } from './native-runtime.js';
import { loadOrt } from './runtime.js';

export interface DeviceRuntime {
  ort: DeviceOrt;
  rewritings: Rewritings;
  /** The most bytes of one array. */
  largestArrayBytes: number;
  /** As Engine has it. */
  tryLargestArray?: () => Promise<number>;
  /** As Engine has it. */
  hasInt64: boolean;
  /** Settings of its sessions, beside those that every session has. */
  extra: Readonly<Record<'session' | 'optimization', Readonly<Record<string, string>>>>;
}

/** A node without a kernel there is an error: no device of these takes shapes to the processor, for programs have none to work out. */
const session = { disable_cpu_ep_fallback: '1' };

/** Of ONNX Runtime's CUDA. */
const cudaOptions = {
  device_id: '0',
  // Products of float32 numbers, not of what TensorFloat-32 leaves of them.
  use_tf32: '0',
};

/** Its kernels count elements with 32 bits. */
const mostCudaElements = 2 ** 31 - 1;

function appendCuda(api: NativeApi, sessionOptions: bigint): void {
  const options = api.made('CreateCUDAProviderOptions');
  try {
    const [keys, values] = [Object.keys(cudaOptions), Object.values(cudaOptions)];
    api.call('UpdateCUDAProviderOptions', options, keys, values, keys.length);
    api.call('SessionOptionsAppendExecutionProvider_CUDA_V2', sessionOptions, options);
  } finally {
    api.release('CUDAProviderOptions', options);
  }
}

/** @throws BenchError UNAVAILABLE; Error where CUDA's files do not load */
export async function deviceRuntime(device: Exclude<DeviceName, 'cpu'>): Promise<DeviceRuntime> {
  if (device === 'webgpu') {
    return {
      ort: await loadOrt(),
      rewritings: webgpuRewritings,
      largestArrayBytes: boundBytes,
      tryLargestArray: () => largestArray(device),
      hasInt64: false,
      // It would make the Gemm again that the rewritings take apart.
      extra: { session, optimization: { disable_specified_optimizers: 'MatMulAddFusion' } },
    };
  }
  return {
    ort: await openNative({ name: 'CUDAExecutionProvider', memory: 'Cuda', append: appendCuda }),
    rewritings: cudaRewritings,
    largestArrayBytes: 4 * mostCudaElements,
    hasInt64: true,
    extra: { session, optimization: {} },
  };
}
