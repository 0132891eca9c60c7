/** The process that builds an index of FAISS. Started by build.ts. */
import type { VectorIndex } from '../../index/vector-index.js';
import { stream } from '../../random.js';
import type { BuildOrder } from '../../search/build-process.js';
import { buildAsOrdered, rowBlocks, say } from '../../search/ordered-build.js';
import { type FaissIndex, loadFaiss } from './flat.js';
import { trainingCount } from './training-count.js';

/** Vectors drawn without replacement, in the order of the index: [min(count, rows), D]. */
async function sample(index: VectorIndex, count: number, seed: number): Promise<number[]> {
  const { dimensions, vectors } = index;
  const order = stream(seed, 'index', 'training').shuffle(Array.from({ length: vectors }, (_, row) => row));
  const chosen = new Uint8Array(vectors);
  for (const row of order.slice(0, count)) chosen[row] = 1;
  // Grown, not made at its length: above 2 ** 25 V8 would make that a dictionary, many times as slow and as large.
  const values: number[] = [];
  for await (const block of rowBlocks(index)) {
    for (let i = 0; i < block.values.length; i += dimensions) {
      if (chosen[block.first + i / dimensions] === 0) continue;
      for (let d = 0; d < dimensions; d++) values.push(block.values[i + d]!);
    }
  }
  return values;
}

async function build({ kind, trainingVectors, seed, target }: BuildOrder, index: VectorIndex): Promise<void> {
  const faiss = await loadFaiss();
  let made: FaissIndex;
  try {
    made = faiss.Index.fromFactory(index.dimensions, kind, 0);
  } catch (error) {
    say({ state: 'refused', message: (error as Error).message });
    return;
  }
  let trainedOn = 0;
  if (!made.isTrained()) {
    trainedOn = trainingCount(trainingVectors, index.vectors, index.dimensions);
    say({ state: 'training', vectors: trainedOn });
    made.train(await sample(index, trainedOn, seed));
  }
  for await (const { first, count, values } of rowBlocks(index)) {
    // faiss-node takes a plain array, 8 bytes a number, and copies it one by one.
    made.add(Array.from(values));
    say({ state: 'adding', rows: first + count });
  }
  // A kind that cannot be searched is better met here than in the process that asked.
  const first = new Float32Array(index.dimensions);
  await index.readRows(0, 1, first);
  made.search(Array.from(first), 1);
  made.write(target);
  say({ state: 'built', trainedOn });
}

await buildAsOrdered(build);
