/** How much memory an NVIDIA GPU has: ONNX Runtime does not tell, the driver's own program does. */
import { spawnSync } from 'node:child_process';
import type { DeviceName } from '../engine.js';
import { describeGpu, hasOtherMaker } from './gpu-search.js';

/** A driver that has to wake a card takes a second or two. */
const usualTimeoutMs = 5000;

/** What was answered, by what was asked: a plan of many systems asks as many times. */
const answers = new Map<string, number | undefined>();

/**
 * What the GPU in use has in MiB, as nvidia-smi says; undefined where the device is not NVIDIA's, and where that program is missing, fails, hangs
 * or says something else. Of several GPUs it is what all of them have, and where they differ it is known on CUDA alone, of the first of
 * CUDA_VISIBLE_DEVICES that is named by its UUID, or by a number that counts as nvidia-smi does. A part of a GPU (MIG) is not known. Never throws.
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
  const gpu = device === 'cuda' ? named(first) : undefined;
  const asked = `${process.env.PATH}\n${gpu}`;
  if (!answers.has(asked)) answers.set(asked, ask(gpu, timeoutMs));
  return answers.get(asked);
}

/** CUDA counts from the GPU that it takes for the fastest, unless it is told to count by places on the bus, as nvidia-smi does. */
function named(first: string | undefined): string | undefined {
  if (first !== undefined && !/^\d/.test(first)) return first;
  return process.env.CUDA_DEVICE_ORDER === 'PCI_BUS_ID' ? (first ?? '0') : undefined;
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
  return gpu !== undefined && gpu === describeGpu('cuda', root) && !hasOtherMaker(root);
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
  const lines = new Set(
    stdout
      .trim()
      .split('\n')
      .map((line) => /^\s*(\d+)\s*,\s*(?!Enabled)\S+\s*$/.exec(line)?.[1]),
  );
  const [memory] = lines;
  return lines.size === 1 ? Number(memory ?? 0) || undefined : undefined;
}
