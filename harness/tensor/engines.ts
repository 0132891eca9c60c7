/** Which engines there are, which of them this machine has, and how to open one. Loads nothing before it is asked to. */
import { availableParallelism } from 'node:os';
import { BenchError, unknownName } from '../errors.js';
import { type Engine, type EngineName, engineNames, mostThreads } from './engine.js';

export interface EngineOptions {
  /** Threads to compute with; where absent all cores, as far as the engine's results stay the same. */
  threads?: number;
  /** ONNX Runtime's execution providers in order of preference; ['cpu'] where absent. */
  providers?: readonly string[];
}

const openers: Record<EngineName, (options: EngineOptions) => Promise<Engine>> = {
  onnx: async ({ threads = Math.min(availableParallelism(), mostThreads), providers = ['cpu'] }) =>
    (await import('./onnx/engine.js')).openOnnx(threads, providers),
  tensorflow: async ({ threads = availableParallelism() }) =>
    (await import('./tensorflow.js')).openTensorflow(threads),
  'tfjs-cpu': async () => {
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

/**
 * Opens an engine. `auto` is TensorFlow where its GPU build is installed and finds a GPU, else onnx.
 * @throws BenchError UNKNOWN_NAME, or UNAVAILABLE with the reason and the command that adds it
 */
export async function openEngine(
  name: 'auto' | EngineName | (string & {}),
  options: EngineOptions = {},
): Promise<Engine> {
  if (name === 'auto') {
    const { hasGpuTensorflow } = await import('./tensorflow.js');
    return (await hasGpuTensorflow(options.threads ?? availableParallelism()))
      ? openers.tensorflow(options)
      : openers.onnx(options);
  }
  const open = (openers as Record<string, (typeof openers)[EngineName] | undefined>)[name];
  if (open === undefined) throw unknownName('engine', name, ['auto', ...engineNames]);
  return open(options);
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
        detail: `${engine.device}, ${engine.threads} threads, ${versions.join(', ')}`,
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
