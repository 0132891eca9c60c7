/**
 * `npm run perf -- card [webgpu,cuda] [train,encode,search] [base|small]`: BERT-base on a real GPU beside PyTorch on the same one, one after
 * the other: passages trained and encoded a second, and exact search of a million vectors. PYTHON=... chooses an interpreter
 * that has torch with CUDA and transformers.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { shardHeaderBytes } from '../index/shard.js';
import { shardPaths } from '../index/shard-files.js';
import { openIndex } from '../index/vector-index.js';
import { parseJson } from '../json.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import { stream } from '../random.js';
import { ExactSearcher } from '../searchers/exact/flat.js';
import { median } from '../statistics/summary.js';
import type { DeviceName, Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';
import { madeTraining } from './made-training.js';
import { clusteredVectors, turnedVectors, writeVectors } from './made-vectors.js';
import { pythonTurn } from './turns.js';

const settings = {
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
type Setting = (typeof settings)['base'];
const encodeBatch = 32;
const steps = 3;
const searches = 20;
const counts = [1, 128];
const depth = 100;

const parts = ['train', 'encode', 'search'] as const;
type Part = (typeof parts)[number];

const precisions = ['fp32', 'bf16'] as const;
interface PeerTimes extends Record<`${'encode' | 'train'} ${'fp32' | 'bf16'}`, number[]> {
  version: string;
  gpu: string;
  /** GB a second. */
  copy: number;
  search: { milliseconds: Record<number, number[]>; rows: Record<number, number[][]> };
}

const perSecond = (count: number, milliseconds: number): string =>
  `${((1000 * count) / milliseconds).toFixed(1)} a second`;

async function training(
  engine: Engine,
  { chunkSize, ...sizes }: Setting,
  peer: Partial<PeerTimes>,
  isWhole: boolean,
): Promise<void> {
  const made = await madeTraining({
    ...sizes,
    ...(!isWhole && { chunkSize }),
    threads: engine.threads,
    engine,
  });
  const times: number[] = [];
  let busy = 0;
  for (let step = 0; step < 1 + steps; step++) {
    const [started, before] = [performance.now(), engine.busyMs];
    await made.step();
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
    `  training, ${isWhole ? 'the whole batch' : `chunks of ${chunkSize}`}: ${perSecond(sizes.batch, step)} (${step.toFixed(0)} ms a step, ${(busy / steps).toFixed(0)} of them in programs)${beside(peer, 'train', step)}`,
  );
}

async function encoding(engine: Engine, sizes: Setting, peer: Partial<PeerTimes>): Promise<void> {
  const { encoded } = sizes;
  const made = await madeTraining({ ...sizes, batch: 1, threads: engine.threads, engine });
  const { retriever, initial: weights } = made;
  const maxTokens = sizes.passageTokens;
  const random = stream(1, 'perf', 'texts');
  const texts = Array.from({ length: encoded }, () =>
    Int32Array.from({ length: maxTokens }, () => 5 + random.integer(sizes.vocabularySize - 5)),
  );
  let exact: Float32Array | undefined;
  for (const precision of ['float32', 'f16']) {
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
  return `mean ${(cosines.reduce((sum, cosine) => sum + cosine) / cosines.length).toFixed(7)}, least ${Math.min(...cosines).toFixed(7)}`;
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

async function searching(
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

/** What one device is measured with, in a process of its own: memory that an earlier one has kept would be missing. */
interface DeviceTurn {
  device: DeviceName;
  chosen: readonly Part[];
  size: keyof typeof settings;
  folder: string;
}

async function measure({ device, chosen, size, folder }: DeviceTurn): Promise<void> {
  const sizes = settings[size];
  const peer = parseJson(await readFile(path.join(folder, 'peer.json'), 'utf8')) as Partial<PeerTimes>;
  const queries = clusteredVectors(Math.max(...counts), sizes.dimensions, 'queries');
  const engine = await openEngine('onnx', { device });
  console.log(`${device}, ${engine.versions.gpu ?? 'which GPU is not known'}`);
  if (chosen.includes('search')) await searching(engine, sizes, folder, queries, peer);
  if (chosen.includes('encode')) await encoding(engine, sizes, peer);
  if (chosen.includes('train'))
    for (const isWhole of [false, true]) await training(engine, sizes, peer, isWhole);
  await engine.dispose();
}

export default async function perfCard([
  devices = 'webgpu',
  named = parts.join(','),
  size = 'base',
]: readonly string[]): Promise<void> {
  if (devices.startsWith('{')) return measure(parseJson(devices) as DeviceTurn);
  const chosen = named.split(',') as Part[];
  const sizes = settings[size as keyof typeof settings];
  const { vectors, dimensions } = sizes;
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-perf-'));
  try {
    const files = [shardPaths(folder, 0).vectors];
    const asked = path.join(folder, 'queries.f32');
    if (chosen.includes('search')) {
      await writeVectors(folder, turnedVectors(vectors, dimensions), dimensions);
      await writeFile(asked, clusteredVectors(Math.max(...counts), dimensions, 'queries'));
    }
    const peer = peerTimes(chosen, sizes, { files, queries: asked });
    await writeFile(path.join(folder, 'peer.json'), JSON.stringify(peer));
    for (const device of devices.split(',')) {
      const turn = JSON.stringify({ device, chosen, size, folder });
      const { status } = spawnSync(process.execPath, [process.argv[1]!, 'card', turn], { stdio: 'inherit' });
      if (status !== 0) console.log(`${device} ended with ${status}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function peerTimes(chosen: readonly Part[], sizes: Setting, files: object): Partial<PeerTimes> {
  const timed = chosen.flatMap((part) =>
    part === 'search' ? ['copy', 'search'] : precisions.map((precision) => `${part} ${precision}`),
  );
  const { encoded } = sizes;
  const job = { ...sizes, ...files, encodeBatch, steps, searches, counts, depth };
  const peer = pythonTurn<PeerTimes>('pytorch-card.py', {
    ...job,
    parts: timed,
    headerBytes: shardHeaderBytes,
  });
  if ('reason' in peer) {
    console.log(`PyTorch is left out: ${peer.reason}`);
    return {};
  }
  console.log(
    `PyTorch ${peer.version}, ${peer.gpu}${peer.copy === undefined ? '' : `: a copy moves ${peer.copy.toFixed(0)} GB a second, read and written`}`,
  );
  for (const [part, count] of [
    ['encode', encoded],
    ['train', sizes.batch],
  ] as const)
    for (const precision of precisions) {
      const times = peer[`${part} ${precision}`];
      if (times !== undefined)
        console.log(
          `  ${part} ${precision}: ${perSecond(count, median(times))} (${median(times).toFixed(0)} ms)`,
        );
    }
  for (const [count, times] of Object.entries(peer.search?.milliseconds ?? {}))
    console.log(`  search, ${count} at once: ${median(times).toFixed(2)} ms`);
  return peer;
}
