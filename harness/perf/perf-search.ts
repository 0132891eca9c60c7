/**
 * `npm run perf -- search [SHARDS]`: the searchers of the index Flat and the index of bounds, in turns with FAISS and torch in
 * Python where it has them (PYTHON=...), and the share of the machine's read bandwidth. Over random vectors, or a folder of shards, of which rows are the queries.
 */
import path from 'node:path';
import { BenchError } from '../errors.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { allSearchers, builderOf } from '../pipeline/choose-searcher.js';
import { openSearcher } from '../pipeline/open-searcher.js';
import { createProgress } from '../progress.js';
import { type Stream, stream } from '../random.js';
import type { PassageHits, Searcher } from '../search/search.js';
import { mean, median } from '../statistics/summary.js';
import type { Engine } from '../tensor/engine.js';
import { inFolderOnEngine } from './made-folder.js';
import { writeVectors } from './made-vectors.js';
import { openReading } from './read-bandwidth.js';
import { openPeers, type Peers } from './search-peers.js';

const [madeRows, madeDimensions] = [100_000, 768];
const depth = 100;
/** Whose hits and times the others are held to. */
const reference = 'exact';
/** Compared with the reference, which are the same hits by a proof. */
const bounds = 'bounds';
const comparedQueries = 1000;
/** Queries at once -> how often each is asked. */
const trials = new Map([
  [1, 31],
  [4, 21],
  [16, 21],
  [32, 21],
  [128, 21],
]);

/** Who is asked in turns. */
interface Contender {
  name: string;
  /** By query, the first rows. */
  search(queries: Float32Array, count: number): Promise<{ rows: number[][]; milliseconds: number }>;
}

const rowsOf = ({ ordinals, depth: kept, counts }: PassageHits): number[][] =>
  Array.from(counts, (count, q) => [...ordinals.subarray(q * kept, q * kept + count)]);

const contender = (name: string, searcher: Searcher): Contender => ({
  name,
  async search(queries, count) {
    const started = performance.now();
    const hits = await searcher.search(queries, count, depth);
    const milliseconds = performance.now() - started;
    return { rows: rowsOf(hits), milliseconds };
  },
});

const peerContenders = (peers: Peers): Contender[] =>
  Object.entries(peers.versions).map(([name, version]) => ({
    name: `${name} ${version} (Python)`,
    search: (queries) => peers.search(name, queries),
  }));

/** Those that search the vectors themselves and are here, and the index of bounds. */
async function openAll(index: VectorIndex, engine: Engine, work: string): Promise<Map<string, Searcher>> {
  const memoryBytes = 2 ** 30 + 8 * index.vectors * index.dimensions;
  const opened = new Map<string, Searcher>();
  for (const { name, plugin } of await allSearchers()) {
    if (plugin.open === undefined) continue;
    try {
      opened.set(name, await openSearcher(name, index, { engine, memoryBytes }));
    } catch (error) {
      if (!(error instanceof BenchError && error.code === 'UNAVAILABLE')) throw error;
      console.log(`${name}: not measured: ${error.message}`);
    }
  }
  const { name: searcher, builder } = await builderOf(bounds, reference);
  const file = path.join(work, builder.file);
  const order = { folder: index.folder, kind: bounds, target: file, trainingVectors: 1, seed: 1 };
  const { sizeBytes } = await builder.build({ ...order, vectors: index.vectors, progress: createProgress() });
  const built = { searcher, file, kind: bounds, sizeBytes };
  return opened.set(bounds, await openSearcher(searcher, index, { engine, memoryBytes, built }));
}

/** Random, or rows of the index where it was given. */
async function drawQueries(
  index: VectorIndex,
  count: number,
  random: Stream,
  given: boolean,
): Promise<Float32Array> {
  const queries = new Float32Array(count * index.dimensions);
  for (let i = 0; i < queries.length; i++) queries[i] = random.normal();
  for (let q = 0; given && q < count; q++)
    await index.readRows(random.integer(index.vectors), 1, queries.subarray(q * index.dimensions));
  return queries;
}

/** The share of queries with the same rows, in any order and in the very same. */
function agreement(
  found: readonly number[][],
  wanted: readonly number[][],
): { same: number; inOrder: number } {
  const sorted = (rows: readonly number[]) => [...rows].sort((a, b) => a - b).join();
  const share = (alike: (q: number) => boolean) => mean(wanted.map((_, q) => Number(alike(q))));
  return {
    same: share((q) => sorted(found[q]!) === sorted(wanted[q]!)),
    inOrder: share((q) => found[q]!.join() === wanted[q]!.join()),
  };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

export default async function perfSearch([given]: readonly string[]): Promise<void> {
  await inFolderOnEngine(async (work, engine) => {
    if (given === undefined) {
      const random = stream(1, 'perf', 'rows');
      const rows = Float32Array.from({ length: madeRows * madeDimensions }, () => random.normal());
      await writeVectors(work, rows, madeDimensions);
    }
    const index = await openIndex(given ?? work);
    const searchers = await openAll(index, engine, work);
    const reading = await openReading(index, engine);
    const peers = await openPeers(index, work, { depth, threads: engine.threads });
    if (typeof peers === 'string') console.log(`faiss and torch in Python: not measured: ${peers}`);
    else
      for (const [name, reason] of Object.entries(peers.missing))
        console.log(`${name} in Python: not measured: ${reason}`);
    const contenders = [
      ...[...searchers].map(([name, searcher]) => contender(name, searcher)),
      ...(typeof peers === 'string' ? [] : peerContenders(peers)),
    ];
    console.log(`${index.vectors} x ${index.dimensions}, k = ${depth}, ${engine.threads} threads`);
    const random = stream(1, 'perf', 'queries');
    for (const [count, repetitions] of trials) {
      const times = new Map(contenders.map(({ name }) => [name, [] as number[]]));
      const alike = new Map(contenders.map(({ name }) => [name, [] as { same: number; inOrder: number }[]]));
      const readMs: number[] = [];
      // The first round compiles and touches all memory once; it is not counted.
      for (let repetition = 0; repetition <= repetitions; repetition++) {
        const queries = await drawQueries(index, count, random, given !== undefined);
        // Whoever comes second finds the caches as the other left them: they take turns.
        const turn = repetition % contenders.length;
        const found = new Map<string, number[][]>();
        for (const { name, search } of [...contenders.slice(turn), ...contenders.slice(0, turn)]) {
          const { rows, milliseconds } = await search(queries, count);
          found.set(name, rows);
          if (repetition > 0) times.get(name)!.push(milliseconds);
        }
        const read = await reading.read();
        if (repetition > 0) readMs.push(read);
        for (const [name, rows] of found) alike.get(name)!.push(agreement(rows, found.get(reference)!));
      }
      const exact = times.get(reference)!;
      console.log(
        `${count} ${count === 1 ? 'query' : 'queries'} at once, best and median of ${repetitions}:`,
      );
      for (const [name, own] of times) {
        const share = alike.get(name)!;
        console.log(
          `  ${name.padEnd(24)} ${Math.min(...own).toFixed(1)} and ${median(own).toFixed(1)} ms, ${(median(exact) / median(own)).toFixed(2)} times the speed of exact (best: ${(Math.min(...exact) / Math.min(...own)).toFixed(2)}); hits equal for ${percent(mean(share.map(({ same }) => same)))} of queries, in the very same order for ${percent(mean(share.map(({ inOrder }) => inOrder)))}`,
        );
      }
      if (count > 1) continue;
      // What is read once is read no faster than by the quickest of those who read it all.
      const [readBest, exactBest] = [Math.min(...readMs), Math.min(...exact)];
      const fastest = Math.min(readBest, exactBest);
      console.log(
        `  read bandwidth: ${(reading.bytes / fastest / 1e6).toFixed(1)} GB/s (a sum over the same bytes takes ${readBest.toFixed(1)} ms at best); exact reads at ${percent(fastest / exactBest)} of it, ${percent(Math.min(1, median(readMs) / median(exact)))} by medians`,
      );
    }
    await compareBounds(searchers, index, random, given !== undefined);
    if (typeof peers !== 'string') peers.end();
    await reading.dispose();
    for (const searcher of searchers.values()) await searcher.dispose();
    await index.close();
  });
}

async function compareBounds(
  searchers: ReadonlyMap<string, Searcher>,
  index: VectorIndex,
  random: Stream,
  given: boolean,
): Promise<void> {
  const found: Record<string, number[][]> = { [reference]: [], [bounds]: [] };
  for (let first = 0; first < comparedQueries; first += 100) {
    const queries = await drawQueries(index, 100, random, given);
    for (const name of [reference, bounds])
      found[name]!.push(...rowsOf(await searchers.get(name)!.search(queries, 100, depth)));
  }
  const { same, inOrder } = agreement(found[bounds]!, found[reference]!);
  console.log(
    `${bounds} and ${reference}, ${comparedQueries} queries: hits equal for ${percent(same)}, in the very same order for ${percent(inOrder)}`,
  );
}
