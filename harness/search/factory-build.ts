/**
 * The process that builds an index of FAISS: what FAISS throws while it trains or adds ends the process it happens in, and
 * both take long and cannot be interrupted. Started by factory-index.ts with a `BuildOrder` as its argument; tells
 * what it did by messages.
 */
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { stream } from '../random.js';
import { type FaissIndex, loadFaiss } from './faiss.js';

export interface BuildOrder {
  /** Folder of the shards. */
  folder: string;
  /** FAISS's factory string. */
  kind: string;
  /** Vectors to train on, at most. */
  trainingVectors: number;
  /** Of the choice among them. */
  seed: number;
  /** File to write. */
  target: string;
}

export type BuildMessage =
  | { state: 'training'; vectors: number }
  | { state: 'adding'; rows: number }
  | { state: 'built'; trainedOn: number }
  | { state: 'refused'; message: string };

/** Numbers handed over at once: faiss-node takes a plain array, 8 bytes a number, and copies it one by one. */
const blockNumbers = 1 << 20;

const say = (message: BuildMessage) => process.send?.(message);

async function* blocks(index: VectorIndex): AsyncGenerator<{ first: number; values: Float32Array }> {
  const rows = Math.max(1, Math.floor(blockNumbers / index.dimensions));
  for (let first = 0; first < index.vectors; first += rows) {
    const count = Math.min(rows, index.vectors - first);
    const values = new Float32Array(count * index.dimensions);
    await index.readRows(first, count, values);
    yield { first, values };
  }
}

/** Vectors drawn without replacement, in the order of the index: [min(count, rows), D]. */
async function sample(index: VectorIndex, count: number, seed: number): Promise<number[]> {
  const { dimensions, vectors } = index;
  const chosen = new Uint8Array(vectors).fill(1);
  if (count < vectors) {
    chosen.fill(0);
    const order = stream(seed, 'index', 'training').shuffle(Array.from({ length: vectors }, (_, row) => row));
    for (const row of order.slice(0, count)) chosen[row] = 1;
  }
  const values = new Array<number>(Math.min(count, vectors) * dimensions).fill(0.5);
  let at = 0;
  for await (const block of blocks(index)) {
    for (let i = 0; i < block.values.length; i += dimensions) {
      if (chosen[block.first + i / dimensions] === 0) continue;
      for (let d = 0; d < dimensions; d++) values[at++] = block.values[i + d]!;
    }
  }
  return values;
}

async function build({ folder, kind, trainingVectors, seed, target }: BuildOrder): Promise<void> {
  const faiss = await loadFaiss();
  const index = await openIndex(folder);
  let made: FaissIndex;
  try {
    made = faiss.Index.fromFactory(index.dimensions, kind, 0);
  } catch (error) {
    say({ state: 'refused', message: (error as Error).message });
    return;
  }
  let trainedOn = 0;
  if (!made.isTrained()) {
    trainedOn = Math.min(trainingVectors, index.vectors);
    say({ state: 'training', vectors: trainedOn });
    made.train(await sample(index, trainedOn, seed));
  }
  for await (const { first, values } of blocks(index)) {
    made.add(Array.from(values));
    say({ state: 'adding', rows: first + values.length / index.dimensions });
  }
  // A kind that cannot be searched, or numbers its rows otherwise, is better met here than in the process that asked.
  const first = new Float32Array(index.dimensions);
  await index.readRows(0, 1, first);
  const { labels } = made.search(Array.from(first), 1);
  if (made.ntotal() !== index.vectors || labels.some((label) => label >= index.vectors)) {
    say({ state: 'refused', message: `it holds ${made.ntotal()} rows where ${index.vectors} were added` });
    return;
  }
  made.write(target);
  await index.close();
  say({ state: 'built', trainedOn });
}

// Nobody is left to build for.
process.on('disconnect', () => process.exit(1));
const order = process.argv[2];
if (order !== undefined) await build(JSON.parse(order) as BuildOrder);
process.disconnect?.();
