/** ONNX Runtime itself, loaded when it is asked for. */
import { createRequire } from 'node:module';
import path from 'node:path';
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

const require = createRequire(import.meta.url);

export function ortVersion(): string {
  const { version } = require('onnxruntime-node/package.json') as { version: string };
  return version;
}

/** Where a file lies, or would lie, that ONNX Runtime loads beside its own library. */
export function ortFile(name: string): string {
  const folder = path.dirname(require.resolve('onnxruntime-node/package.json'));
  return path.join(folder, 'bin', 'napi-v6', process.platform, process.arch, name);
}
