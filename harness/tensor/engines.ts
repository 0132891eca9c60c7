/** Which engines there are, which of them this machine has, and how to open one. Loads nothing before it is asked to. */

import { availableParallelism } from 'node:os';
import { counted } from '../counted.js';
import { BenchError, unknownName } from '../errors.js';
import {
  type DeviceName,
  deviceNames,
  type Engine,
  type EngineName,
  engineNames,
  mostThreads,
} from './engine.js';

export interface EngineOptions {
  /** Threads to compute with; where absent all cores, as far as the engine's results stay the same. */
  threads?: number;
  /** `auto`: a GPU that works, else the processor. Absent: the processor, and what TensorFlow finds. */
  device?: 'auto' | DeviceName;
}

const openers: Record<EngineName, (options: EngineOptions) => Promise<Engine>> = {
  async onnx({ threads = Math.min(availableParallelism(), mostThreads), device: asked = 'cpu' }) {
    const { openOnnx } = await import('./onnx/engine.js');
    if (asked === 'cpu') return openOnnx(threads);
    const { assertDevice, chooseDevice } = await import('./onnx/devices.js');
    const device = asked === 'auto' ? await chooseDevice() : asked;
    if (asked !== 'auto') await assertDevice(device);
    return openOnnx(threads, device);
  },
  async tensorflow({ threads = availableParallelism(), device: asked = 'auto' }) {
    if (asked === 'webgpu') throw otherDevice('tensorflow', asked);
    const engine = await (await import('./tensorflow.js')).openTensorflow(threads);
    if (asked === 'auto' || asked === engine.device) return engine;
    await engine.dispose();
    const hint =
      asked === 'cpu'
        ? 'CUDA_VISIBLE_DEVICES=-1 hides the GPU from it; --engine onnx is faster on a processor.'
        : 'bench doctor says what it found; docs/gpu.md, what it needs.';
    throw new BenchError(
      'UNAVAILABLE',
      `The engine 'tensorflow' computes on ${engine.device} here, and --device ${asked} was asked for.`,
      { hint },
    );
  },
  async 'tfjs-cpu'({ device: asked = 'auto' }) {
    if (asked !== 'auto' && asked !== 'cpu') throw otherDevice('tfjs-cpu', asked);
    await import('@tensorflow/tfjs-backend-cpu');
    const { version_core } = await import('@tensorflow/tfjs-core');
    const { eagerEngine } = await import('./eager.js');
    return eagerEngine('tfjs-cpu', 'cpu', {
      device: 'cpu',
      threads: 1,
      versions: { '@tensorflow/tfjs-core': version_core },
    });
  },
};

function otherDevice(engine: EngineName, device: DeviceName): BenchError {
  return new BenchError('CONFIG_INVALID', `The engine '${engine}' does not compute on ${device}.`, {
    hint: `Leave --engine out, or give --engine onnx, which does.`,
  });
}

/**
 * Opens an engine. `auto` is TensorFlow where its GPU build is installed and finds a GPU, and no other device is asked for;
 * else onnx.
 * @throws BenchError UNKNOWN_NAME, CONFIG_INVALID for a device that the engine does not have, or UNAVAILABLE with the reason
 *   and what adds it
 */
export async function openEngine(
  name: 'auto' | EngineName | (string & {}),
  options: EngineOptions = {},
): Promise<Engine> {
  if (name === 'auto') {
    if (options.device === 'cpu' || options.device === 'webgpu') return openers.onnx(options);
    const { hasGpuTensorflow } = await import('./tensorflow.js');
    return (await hasGpuTensorflow(options.threads ?? availableParallelism()))
      ? openers.tensorflow(options)
      : openers.onnx(options);
  }
  if (!Object.hasOwn(openers, name)) throw unknownName('engine', name, ['auto', ...engineNames]);
  return openers[name as EngineName](options);
}

export interface EngineDescription {
  name: EngineName;
  available: boolean;
  /** Versions and device, or the reason why it cannot be used. */
  detail: string;
  /** The command that adds it, where it is missing. */
  hint?: string;
}

/** Tries every engine. */
export async function describeEngines(): Promise<EngineDescription[]> {
  const descriptions: EngineDescription[] = [];
  for (const name of engineNames) {
    try {
      const engine = await openEngine(name);
      const versions = Object.entries(engine.versions).map(([library, version]) => `${library} ${version}`);
      descriptions.push({
        name,
        available: true,
        detail: `${engine.device}, ${counted(engine.threads, 'threads')}, ${versions.join(', ')}`,
      });
      await engine.dispose();
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      descriptions.push({ name, available: false, detail: error.message, ...hint });
    }
  }
  return descriptions;
}

/** Tries every device of the engine `onnx` but the processor. */
export async function describeDevices(): Promise<(Omit<EngineDescription, 'name'> & { name: DeviceName })[]> {
  const { assertDevice } = await import('./onnx/devices.js');
  const { gpuAndMemory } = await import('./onnx/gpu-memory.js');
  return Promise.all(
    deviceNames
      .filter((name) => name !== 'cpu')
      .map(async (name) => {
        try {
          await assertDevice(name);
          return {
            name,
            available: true,
            detail: `a matrix product is right; ${gpuAndMemory(name)}`,
          };
        } catch (error) {
          if (!(error instanceof BenchError)) throw error;
          const hint = error.hint === undefined ? {} : { hint: error.hint };
          return { name, available: false, detail: error.message, ...hint };
        }
      }),
  );
}
