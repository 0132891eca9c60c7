/** ONNX Runtime itself, loaded when it is asked for. */
import { createRequire } from 'node:module';
import { BenchError } from '../../errors.js';

export type Ort = typeof import('onnxruntime-node');

/** @throws BenchError UNAVAILABLE */
export async function loadOrt(): Promise<Ort> {
  try {
    const ort = await import('onnxruntime-node');
    holdHalvesAsBits(ort);
    return ort;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BenchError('UNAVAILABLE', `The engine 'onnx' cannot load onnxruntime-node: ${reason}`, {
      hint: 'npm ci installs it, with its CPU library inside; on Linux it needs glibc 2.27 or newer. Otherwise: --engine tfjs-cpu (slow).',
      cause,
    });
  }
}

/**
 * From Node 24 on there is a Float16Array, which onnxruntime-common gives for float16 numbers and ONNX Runtime's own part
 * does not take. It looks for one when it makes its first tensor, and never again.
 */
function holdHalvesAsBits({ Tensor }: Pick<Ort, 'Tensor'>): void {
  const there = Object.getOwnPropertyDescriptor(globalThis, 'Float16Array');
  if (there === undefined) return;
  Reflect.deleteProperty(globalThis, 'Float16Array');
  try {
    new Tensor('int32', new Int32Array(1), [1]);
  } finally {
    Object.defineProperty(globalThis, 'Float16Array', there);
  }
}

export function ortVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return version;
}
