/** What a GPU is measured with in `perf -- card`: training, encoding and searching, each beside what PyTorch took for it. */
import { openIndex } from '../index/vector-index.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import { ExactSearcher } from '../searchers/exact/flat.js';
import { mean, median } from '../statistics/summary.js';
import type { Engine } from '../tensor/engine.js';
import { madeTexts, madeTraining } from './made-training.js';

export const settings = {
  base: {
    layers: 12,
    dimensions: 768,
    vocabularySize: 30_522,
    batch: 128,
    chunkSize: 32,
    queryTokens: 32,
    passageTokens: 256,
    encoded: 1024,
    vectors: 1_000_000,
  },
  /** To try it without a card. */
  small: {
    layers: 1,
    dimensions: 64,
    vocabularySize: 1000,
    batch: 8,
    chunkSize: 4,
    queryTokens: 8,
    passageTokens: 16,
    encoded: 32,
    vectors: 20_000,
  },
};
export type Setting = (typeof settings)['base'];
export const encodeBatch = 32;
export const steps = 3;
export const searches = 20;
export const counts = [1, 128];
export const depth = 100;

export const parts = ['train', 'encode', 'search'] as const;
export type Part = (typeof parts)[number];

/** PyTorch's, and ours. */
export const precisions = ['fp32', 'bf16'] as const;
export const ownPrecisions = ['float32', 'f16'] as const;
export interface PeerTimes extends Record<`${'encode' | 'train'} ${'fp32' | 'bf16'}`, number[]> {
  version: string;
  gpu: string;
  /** GB a second. */
  copy: number;
  search: { milliseconds: Record<number, number[]>; rows: Record<number, number[][]> };
}

export const perSecond = (count: number, milliseconds: number): string =>
  `${((1000 * count) / milliseconds).toFixed(1)} a second`;

export async function training(
  engine: Engine,
  { chunkSize, ...sizes }: Setting,
  peer: Partial<PeerTimes>,
  isWhole: boolean,
  precision: string,
): Promise<void> {
  const made = await madeTraining({
    ...sizes,
    ...(!isWhole && { chunkSize }),
    ...{ threads: engine.threads, engine, precision },
  });
  const times: number[] = [];
  let busy = 0;
  let loss = 0;
  for (let step = 0; step < 1 + steps; step++) {
    const [started, before] = [performance.now(), engine.busyMs];
    loss = await made.step();
    const passed = performance.now() - started;
    console.log(
      `    step ${step}: ${passed.toFixed(0)} ms, ${(engine.busyMs - before).toFixed(0)} in programs`,
    );
    if (step === 0) continue;
    times.push(passed);
    busy += engine.busyMs - before;
  }
  await made.dispose();
  const step = median(times);
  console.log(
    `  training, ${precision}, ${isWhole ? 'the whole batch' : `chunks of ${chunkSize}`}: ${perSecond(sizes.batch, step)} (${step.toFixed(0)} ms a step, ${(busy / steps).toFixed(0)} of them in programs; loss ${loss.toFixed(4)})${beside(peer, 'train', step)}`,
  );
}

export async function encoding(engine: Engine, sizes: Setting, peer: Partial<PeerTimes>): Promise<void> {
  const { encoded } = sizes;
  const made = await madeTraining({ ...sizes, batch: 1, threads: engine.threads, engine });
  const { retriever, initial: weights } = made;
  const maxTokens = sizes.passageTokens;
  const texts = madeTexts(encoded, maxTokens, sizes.vocabularySize);
  let exact: Float32Array | undefined;
  for (const precision of ownPrecisions) {
    const options = { engine, retriever, weights, maxTokens, batchTokens: encodeBatch * maxTokens };
    const encoder = new VectorEncoder({ ...options, precision, side: 'passage' });
    try {
      let { vectors } = await encoder.encode(texts.slice(0, encodeBatch));
      const times: number[] = [];
      for (let turn = 0; turn < steps; turn++) {
        const started = performance.now();
        ({ vectors } = await encoder.encode(texts));
        times.push(performance.now() - started);
      }
      const whole = median(times);
      const alike =
        exact === undefined ? '' : `; cosine to float32 ${likeness(exact, vectors, sizes.dimensions)}`;
      exact ??= vectors;
      console.log(
        `  encoding, ${precision}: ${perSecond(encoded, whole)}${beside(peer, 'encode', whole)}${alike}`,
      );
    } catch (error) {
      console.log(`  encoding, ${precision}: ${(error as Error).message}`);
    }
    await encoder.dispose();
  }
  engine.release(weights);
  await made.dispose();
}

/** Cosines of vectors of the same texts, both [N, D]: their mean and the least. */
function likeness(left: Float32Array, right: Float32Array, dimensions: number): string {
  const cosines = Array.from({ length: left.length / dimensions }, (_, i) => {
    const [a, b] = [left, right].map((all) => all.subarray(i * dimensions, (i + 1) * dimensions));
    const [ab, aa, bb] = [dot(a!, b!), dot(a!, a!), dot(b!, b!)];
    return ab / Math.sqrt(aa * bb);
  });
  return `mean ${mean(cosines).toFixed(7)}, least ${Math.min(...cosines).toFixed(7)}`;
}

const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, d) => sum + value * b[d]!, 0);

/** How much of the speed of PyTorch. */
function beside(peer: Partial<PeerTimes>, what: 'train' | 'encode', milliseconds: number): string {
  return precisions
    .flatMap((precision) => {
      const theirs = peer[`${what} ${precision}`];
      return theirs === undefined
        ? []
        : `; ${(median(theirs) / milliseconds).toFixed(3)} of PyTorch ${precision}`;
    })
    .join('');
}

export async function searching(
  engine: Engine,
  { vectors, dimensions }: Setting,
  folder: string,
  queries: Float32Array,
  peer: Partial<PeerTimes>,
): Promise<void> {
  const index = await openIndex(folder);
  const opened = performance.now();
  const budget = { memoryBytes: 2 ** 30, deviceMemoryBytes: 8 * 2 ** 30 };
  const searcher = await ExactSearcher.open(index, engine, budget);
  console.log(`  index sent in ${((performance.now() - opened) / 1000).toFixed(1)} s`);
  const bytes = 4 * vectors * dimensions;
  for (const count of counts) {
    const asked = queries.subarray(0, count * dimensions);
    const times: number[] = [];
    let found: { readonly [row: number]: number; readonly length: number } = [];
    for (let turn = 0; turn < 3 + searches; turn++) {
      const started = performance.now();
      const hits = await searcher.search(asked, count, depth);
      if (turn >= 3) times.push(performance.now() - started);
      found = hits.rows;
    }
    const whole = median(times);
    const theirs = peer.search?.milliseconds[count];
    const same = peer.search?.rows[count]?.flat().filter((row, i) => row === found[i]).length;
    console.log(
      `  search, ${count} at once: ${whole.toFixed(2)} ms, ${(bytes / 1e6 / whole).toFixed(0)} GB of vectors a second${theirs === undefined ? '' : `; torch ${median(theirs).toFixed(2)} ms, ${(median(theirs) / whole).toFixed(3)} of its speed, ${same} of ${found.length} rows the same`}`,
    );
  }
  await searcher.dispose();
  await index.close();
}
