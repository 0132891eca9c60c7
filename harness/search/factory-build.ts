/**
 * The process that builds an index of FAISS: what FAISS throws while it trains or adds ends the process it happens in, and
 * both take long and cannot be interrupted. Started by factory-index.ts with a `BuildOrder` as its argument; tells
 * what it did by messages.
 */
import { BenchError, type ErrorCode } from '../errors.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { parseJson } from '../json.js';
import { stream } from '../random.js';
import { type FaissIndex, loadFaiss } from './faiss.js';
import { trainingCount } from './training-count.js';

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
  /** For a reason of FAISS's. */
  | { state: 'refused'; message: string }
  /** For one of ours. */
  | { state: 'failed'; code: ErrorCode; message: string; hint?: string | undefined };

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
  // Grown, not made at its length: above 2 ** 25 V8 would make that a dictionary, many times as slow and as large.
  const values: number[] = [];
  for await (const block of blocks(index)) {
    for (let i = 0; i < block.values.length; i += dimensions) {
      if (chosen[block.first + i / dimensions] === 0) continue;
      for (let d = 0; d < dimensions; d++) values.push(block.values[i + d]!);
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
    trainedOn = trainingCount(trainingVectors, index.vectors, index.dimensions);
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
if (order !== undefined) {
  await build(parseJson(order) as BuildOrder).catch((error: unknown) => {
    if (!(error instanceof BenchError)) throw error;
    const { code, message, hint } = error;
    say({ state: 'failed', code, message, hint });
  });
}
process.disconnect?.();
