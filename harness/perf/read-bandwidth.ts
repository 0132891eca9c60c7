/** How fast this machine reads memory: a sum over an array that no cache holds, by all threads of the engine. */
import type { VectorIndex } from '../index/vector-index.js';
import type { Engine } from '../tensor/engine.js';
import * as tf from '../tensor/operations.js';

export interface Reading {
  /** Of the rows. */
  bytes: number;
  /** Reads all of it once. @returns milliseconds */
  read(): Promise<number>;
  dispose(): Promise<void>;
}

/** @param index whose rows are read, the same bytes that a search reads */
export async function openReading(index: VectorIndex, engine: Engine): Promise<Reading> {
  const { vectors, dimensions } = index;
  const rows = new Float32Array(vectors * dimensions);
  await index.readRows(0, vectors, rows);
  const held = engine.variables([rows.length]);
  held.variables[0]!.write(rows);
  const program = await engine.compile(
    ([x]) => [tf.sum(x!, 1)],
    [{ shape: [vectors, dimensions], dtype: 'float32' }],
    {
      name: 'reading of memory',
    },
  );
  return {
    bytes: rows.byteLength,
    async read() {
      const started = performance.now();
      await program.run([held.variables[0]!]);
      return performance.now() - started;
    },
    async dispose() {
      await program.dispose();
      held.dispose();
    },
  };
}
