/** How much memory an NVIDIA GPU has: ONNX Runtime does not tell, the driver's own program does. */
import { spawnSync } from 'node:child_process';
import type { DeviceName } from '../engine.js';
import { describeGpu } from './gpu-search.js';

/** A driver that has to wake a card takes a second or two. */
const usualTimeoutMs = 5000;

/** What was answered, by what was asked: a plan of many systems asks as many times. */
const answers = new Map<string, number | undefined>();

/**
 * What the GPU in use has in MiB, as nvidia-smi says; undefined where the device is not NVIDIA's, and where that program is missing, fails, hangs
 * or says something else. Of several GPUs it is the first, and on CUDA the first of CUDA_VISIBLE_DEVICES; a part of a GPU (MIG) is
 * not known. Never throws.
 * @param device whether it is NVIDIA's is certain on CUDA, and seen from files on WebGPU
 * @param root of the files, another one for tests
 */
export function gpuMemoryMiB(device: DeviceName, root = '/', timeoutMs = usualTimeoutMs): number | undefined {
  if (device === 'cpu' || process.platform === 'darwin') return undefined;
  if (device === 'webgpu' && !isNvidia(root)) return undefined;
  // Vulkan knows nothing of that variable.
  const chosen = device === 'cuda' ? process.env.CUDA_VISIBLE_DEVICES : undefined;
  const first = chosen?.split(',', 1).join().trim();
  if (first !== undefined && !/^(\d+|GPU-[\da-f-]+)$/i.test(first)) return undefined;
  const asked = `${process.env.PATH}\n${first}`;
  if (!answers.has(asked)) answers.set(asked, ask(first, timeoutMs));
  return answers.get(asked);
}

/** The GPU in words, with its memory where that is known. @param root as above */
export function gpuAndMemory(device: Exclude<DeviceName, 'cpu'>, root = '/'): string {
  const memory = gpuMemoryMiB(device, root);
  const has = memory === undefined ? '' : `, ${memory} MiB as nvidia-smi says`;
  return `${describeGpu(device, root) ?? 'which GPU is not known'}${has}`;
}

/** Not one that computes on the processor, nor another maker's beside it. */
function isNvidia(root: string): boolean {
  const gpu = describeGpu('webgpu', root);
  return gpu !== undefined && gpu === describeGpu('cuda', root);
}

function ask(gpu: string | undefined, timeout: number): number | undefined {
  const query = ['--query-gpu=memory.total,mig.mode.current', '--format=csv,noheader,nounits'];
  const { status, stdout } = spawnSync(
    'nvidia-smi',
    [...query, ...(gpu === undefined ? [] : [`--id=${gpu}`])],
    {
      ...{ timeout, killSignal: 'SIGKILL', encoding: 'utf8', windowsHide: true },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  if (status !== 0) return undefined;
  // `81559, Disabled`; `24564, [N/A]` of one that cannot be divided.
  const [, memory, divided] = /^\s*(\d+)\s*,\s*(\S+)\s*(?:\n|$)/.exec(stdout) ?? [];
  return divided === undefined || divided === 'Enabled' ? undefined : Number(memory) || undefined;
}
