/** ONNX Runtime itself, loaded when it is asked for. */
import { createRequire } from 'node:module';
import { loadPackage } from '../../program/optional-package.js';

export type Ort = typeof import('onnxruntime-node');

const refused = {
  broken: "The engine 'onnx' cannot load onnxruntime-node",
  hint: 'npm ci installs it, with its CPU library inside; on Linux it needs glibc 2.27 or newer. Otherwise: --engine tfjs-cpu (slow).',
};

/** @throws BenchError UNAVAILABLE */
export async function loadOrt(): Promise<Ort> {
  const ort = await loadPackage(() => import('onnxruntime-node'), refused);
  holdHalvesAsBits(ort);
  return ort;
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
