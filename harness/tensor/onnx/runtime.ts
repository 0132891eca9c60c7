/** ONNX Runtime itself, loaded when it is asked for. */
import { createRequire } from 'node:module';
import { BenchError } from '../../errors.js';

export type Ort = typeof import('onnxruntime-node');

/** @throws BenchError UNAVAILABLE */
export async function loadOrt(): Promise<Ort> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BenchError('UNAVAILABLE', `The engine 'onnx' cannot load onnxruntime-node: ${reason}`, {
      hint: 'npm ci installs it, with its CPU library inside; on Linux it needs glibc 2.27 or newer. Otherwise: --engine tfjs-cpu (slow).',
      cause,
    });
  }
}

export function ortVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return version;
}
