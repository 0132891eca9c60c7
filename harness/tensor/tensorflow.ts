/** The engine for machines with TensorFlow's native library: @tensorflow/tfjs-node-gpu, or tfjs-node, where installed. */
import { createRequire } from 'node:module';
import { BenchError } from '../errors.js';
import { loadPackage } from '../program/optional-package.js';
import { eagerEngine } from './eager.js';
import type { Engine } from './engine.js';
import * as tf from './operations.js';

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'] as const;
const hint =
  'On a machine with an NVIDIA GPU and CUDA: npm install --no-save @tensorflow/tfjs-node-gpu@4.22.0. ' +
  'Without one: --engine onnx, which is faster than tfjs-node on a CPU.';

function installedPackage(): (typeof packages)[number] | undefined {
  const require = createRequire(import.meta.url);
  return packages.find((name) => {
    try {
      require.resolve(`${name}/package.json`);
      return true;
    } catch {
      return false;
    }
  });
}

/** What we use of tfjs-node's module: the same tfjs-core instance as ours, with a native backend registered. */
interface TensorflowModule {
  version: Record<string, string>;
  backend(): { isUsingGpuDevice?: boolean; binding?: { TF_Version?: string } };
  setBackend(name: string): Promise<boolean>;
}

async function load(threads: number): Promise<{ name: string; module: TensorflowModule }> {
  const name = installedPackage();
  if (name === undefined) {
    throw new BenchError(
      'UNAVAILABLE',
      `The engine 'tensorflow' needs ${packages.join(' or ')}, and neither is installed.`,
      { hint },
    );
  }
  if (Number(process.versions.node.split('.')[0]) >= 23) {
    throw new BenchError(
      'UNAVAILABLE',
      `${name} 4.22 calls util.isNullOrUndefined, which Node ${process.versions.node} no longer has.`,
      { hint: 'Run bench with Node 20 or 22, or use --engine onnx.' },
    );
  }
  // Read when the library is loaded; a user's own settings stand.
  process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  const ours = registeredGradients();
  try {
    // The specifier is a variable so that the compiler does not look for an optional package.
    const load = async () => {
      const module = (await import(name)) as TensorflowModule & { default?: TensorflowModule };
      const tensorflow = module.default ?? module;
      await tensorflow.setBackend('tensorflow');
      return { name, module: tensorflow };
    };
    const broken = `${name} is installed but does not load`;
    const hint = `npm rebuild ${name} --build-addon-from-source, or use --engine onnx.`;
    return await loadPackage(load, { broken, hint });
  } finally {
    for (const gradient of ours) tf.registerGradient(gradient);
  }
}

/**
 * The gradients that are in force now. The package brings tfjs's own, which take the place of ours for every engine of
 * the process: its squaredDifference fails where an operand is broadcast, and some use kernels that onnx does not have.
 */
function registeredGradients(): tf.GradConfig[] {
  // tfjs-core exports each kernel's name as a string, and has no list of gradients.
  const names = Object.values(tf).filter((name) => typeof name === 'string');
  return names.flatMap((name) => tf.getGradient(name) ?? []);
}

/** Whether the GPU build is installed, loads, and has found a GPU. */
export async function hasGpuTensorflow(threads: number): Promise<boolean> {
  if (installedPackage() !== '@tensorflow/tfjs-node-gpu') return false;
  try {
    return (await load(threads)).module.backend().isUsingGpuDevice === true;
  } catch {
    // 'auto' asks whether it can be used; why it cannot is what `bench doctor` and --engine tensorflow say.
    return false;
  }
}

/**
 * @param threads for one operation; TensorFlow takes the number of the first time it is opened in a process
 * @throws BenchError UNAVAILABLE with the reason
 */
export async function openTensorflow(threads: number): Promise<Engine> {
  const { name, module } = await load(threads);
  const native = module.backend();
  return eagerEngine('tensorflow', 'tensorflow', {
    device: native.isUsingGpuDevice === true ? 'cuda' : 'cpu',
    threads: Number(process.env.TF_NUM_INTRAOP_THREADS),
    versions: {
      [name]: module.version['tfjs-node'] ?? 'unknown',
      libtensorflow: native.binding?.TF_Version ?? 'unknown',
    },
  });
}
