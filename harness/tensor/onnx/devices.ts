/** Which device the engine `onnx` computes on: the one that was asked for, or by `auto` a GPU that works, else the processor. */
import { existsSync } from 'node:fs';
import { BenchError } from '../../errors.js';
import type { DeviceName } from '../engine.js';
import { deviceTrial } from './device-trial.js';
import { hasVulkanLoader, leaveSoftwareOut, mayHaveGpu } from './gpu-search.js';
import { loadKoffi } from './native-api.js';
import { ortFile } from './runtime.js';

const cudaHint =
  "It needs NVIDIA's driver, CUDA 12 with cuDNN 9, and then: ONNXRUNTIME_NODE_INSTALL_CUDA=v12 npm rebuild onnxruntime-node. docs/gpu.md says more.";

/** ONNX Runtime's CUDA files, which npm leaves out. */
const hasCudaFiles = (): boolean =>
  existsSync(
    ortFile(
      process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so',
    ),
  );

/** @throws BenchError UNAVAILABLE with the reason and what to install */
export async function assertDevice(device: DeviceName): Promise<void> {
  if (device === 'cpu') return;
  if (device === 'cuda' && !hasCudaFiles()) {
    throw new BenchError(
      'UNAVAILABLE',
      "The device cuda does not work here: onnxruntime-node's CUDA files are not installed.",
      {
        hint: cudaHint,
      },
    );
  }
  if (device === 'cuda') await loadKoffi();
  const found = await deviceTrial(device);
  if (found.works) return;
  throw new BenchError('UNAVAILABLE', `The device ${device} does not work here: ${found.why}`, {
    hint: device === 'cuda' ? cudaHint : webGpuHint(),
  });
}

function webGpuHint(): string {
  if (process.platform !== 'linux')
    return "WebGPU takes the GPU through the system's own driver: bring it up to date. docs/gpu.md says more.";
  const loader = hasVulkanLoader() ? '' : 'apt-get install libvulkan1, and ';
  return `It needs Vulkan: ${loader}the driver of the GPU (NVIDIA's own, which needs libxext6 as well; mesa-vulkan-drivers for AMD and Intel), in a container with the GPU passed in. docs/gpu.md says more.`;
}

/** A GPU that works, CUDA before WebGPU; else the processor. A machine on which there can be none starts no trial. */
export async function chooseDevice(): Promise<DeviceName> {
  if (hasCudaFiles() && (await deviceTrial('cuda')).works) return 'cuda';
  if (!mayHaveGpu()) return 'cpu';
  leaveSoftwareOut();
  return (await deviceTrial('webgpu')).works ? 'webgpu' : 'cpu';
}
