/** Kernels in WebAssembly, which lie built beside the module that runs them. */
import { readFileSync } from 'node:fs';

/** Memory that kernels read and write. */
export interface KernelMemory {
  readonly buffer: ArrayBuffer;
}

/** What is used of it here: Node's types do not have it, and a browser's are not wanted. */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number }) => KernelMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
};

const pageBytes = 1 << 16;

/** A whole number of pages that holds so many bytes, at most 4 GiB; all are 0. */
export function kernelMemory(bytes: number): KernelMemory {
  return new WebAssembly.Memory({ initial: Math.max(1, Math.ceil(bytes / pageBytes)) });
}

/** What a kernel exports that imports its memory as `kernel.memory`. @param file `new URL('NAME.wasm', import.meta.url)` */
export function kernelOf(file: URL, memory: KernelMemory): Readonly<Record<string, unknown>> {
  const module = new WebAssembly.Module(readFileSync(file));
  return new WebAssembly.Instance(module, { kernel: { memory } }).exports;
}
