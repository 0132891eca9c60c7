/** The side of an index's build that runs in the process of its own: see build-process.ts. */

import { BenchError } from '../errors.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { parseJson } from '../json.js';
import type { BuildMessage, BuildOrder } from './build-process.js';

/** Numbers handed over at once. */
const blockNumbers = 1 << 20;

export const say = (message: BuildMessage): unknown => process.send?.(message);

/** All rows of an index, block by block. */
export async function* rowBlocks(
  index: VectorIndex,
): AsyncGenerator<{ first: number; count: number; values: Float32Array }> {
  const rows = Math.max(1, Math.floor(blockNumbers / index.dimensions));
  for (let first = 0; first < index.vectors; first += rows) {
    const count = Math.min(rows, index.vectors - first);
    const values = new Float32Array(count * index.dimensions);
    await index.readRows(first, count, values);
    yield { first, count, values };
  }
}

/**
 * Does what this process was started for.
 * @param build says what it does, last of all that it has built or that the library refuses
 */
export async function buildAsOrdered(
  build: (order: BuildOrder, index: VectorIndex) => Promise<void>,
): Promise<void> {
  // Nobody is left to build for.
  process.on('disconnect', () => process.exit(1));
  const argument = process.argv[2];
  if (argument !== undefined) {
    try {
      const order = parseJson(argument) as BuildOrder;
      const index = await openIndex(order.folder);
      await build(order, index);
      await index.close();
    } catch (error) {
      if (!(error instanceof BenchError)) throw error;
      say({ state: 'failed', ...error.sent });
    }
  }
  process.disconnect?.();
}
