/** `npm run perf -- search`: the searchers of the index Flat over one index of random vectors, in turns. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { IdentifierWriter } from '../index/identifiers.js';
import { IndexShardWriter } from '../index/shard-files.js';
import { finishIndex, identifiersPath, openIndex, type VectorIndex } from '../index/vector-index.js';
import { allSearchers } from '../pipeline/choose-searcher.js';
import { openSearcher } from '../pipeline/open-searcher.js';
import { type Stream, stream } from '../random.js';
import type { PassageHits, Searcher } from '../search/search.js';
import { median } from '../statistics/summary.js';
import type { Engine } from '../tensor/engine.js';
import { openEngine } from '../tensor/engines.js';

const passages = 100_000;
const dimensions = 768;
const depth = 100;
const memoryBytes = 2 ** 30;
/** Whose hits and times the others are held to. */
const reference = 'exact';
/** Queries at once -> how often each searcher is asked. */
const trials = new Map([
  [1, 31],
  [128, 7],
]);

function normalVectors(count: number, random: Stream): Float32Array {
  const values = new Float32Array(count * dimensions);
  for (let i = 0; i < values.length; i++) values[i] = random.normal();
  return values;
}

async function writeIndex(folder: string): Promise<void> {
  const random = stream(1, 'perf', 'rows');
  const identifiers = new IdentifierWriter(identifiersPath(folder));
  const layout = { number: 0, firstPassage: 0, dimensions, vectorsPerPassage: 1 };
  const writer = await IndexShardWriter.create(folder, layout);
  for (let first = 0; first < passages; first += 1000) {
    await writer.append(normalVectors(1000, random));
    for (let i = first; i < first + 1000; i++) identifiers.append(String(i));
  }
  await writer.commit();
  await identifiers.commit();
  await finishIndex(folder, 1);
}

/**
 * Counts the lists that agree: at each rank the same passage, or another one whose score is within 1e-5 of it, which is
 * how far float32 sums of another order may lie apart. `inOrder` are those with the same passage at every rank.
 */
function compare(a: PassageHits, b: PassageHits): { agreeing: number; inOrder: number } {
  let agreeing = 0;
  let inOrder = 0;
  for (let q = 0; q < a.counts.length; q++) {
    let near = a.counts[q] === b.counts[q];
    let same = near;
    for (let i = q * a.depth; i < q * a.depth + a.counts[q]!; i++) {
      near &&= Math.abs(a.scores[i]! - b.scores[i]!) <= 1e-5 * Math.abs(b.scores[i]!);
      same &&= a.ordinals[i] === b.ordinals[i];
    }
    if (near) agreeing++;
    if (near && same) inOrder++;
  }
  return { agreeing, inOrder };
}

async function timed(searcher: Searcher, queries: Float32Array, count: number) {
  const started = performance.now();
  const hits = await searcher.search(queries, count, depth);
  return { hits, milliseconds: performance.now() - started };
}

/** Those that search the vectors themselves and are here. */
async function openAll(index: VectorIndex, engine: Engine): Promise<Searcher[]> {
  const opened: Searcher[] = [];
  for (const { name, plugin } of await allSearchers()) {
    if (plugin.open === undefined) continue;
    try {
      opened.push(await openSearcher(name, index, { engine, memoryBytes }));
    } catch (error) {
      if (!(error instanceof BenchError && error.code === 'UNAVAILABLE')) throw error;
      console.log(`${name} is left out: ${error.message}`);
    }
  }
  return opened;
}

/** What a searcher did over all rounds. */
interface Tally {
  milliseconds: number[];
  agreeing: number;
  inOrder: number;
}

export default async function perfSearch(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-perf-'));
  const engine = await openEngine('onnx');
  try {
    await writeIndex(folder);
    const index = await openIndex(folder);
    const searchers = await openAll(index, engine);
    console.log(`${passages} x ${dimensions}, k = ${depth}, ${engine.threads} threads`);
    const random = stream(1, 'perf', 'queries');
    for (const [count, repetitions] of trials) {
      const tallies = new Map<Searcher, Tally>();
      for (const searcher of searchers) tallies.set(searcher, { milliseconds: [], agreeing: 0, inOrder: 0 });
      // The first round compiles and touches all memory once; it is not counted.
      for (let repetition = 0; repetition <= repetitions; repetition++) {
        const queries = normalVectors(count, random);
        // Whoever comes second finds the caches as the other left them: they take turns.
        const turn = repetition % searchers.length;
        const found = new Map<Searcher, PassageHits>();
        for (const searcher of [...searchers.slice(turn), ...searchers.slice(0, turn)]) {
          const { hits, milliseconds } = await timed(searcher, queries, count);
          found.set(searcher, hits);
          if (repetition > 0) tallies.get(searcher)!.milliseconds.push(milliseconds);
        }
        const exact = searchers.find(({ name }) => name === reference)!;
        for (const [searcher, hits] of found) {
          const { agreeing, inOrder } = compare(found.get(exact)!, hits);
          const tally = tallies.get(searcher)!;
          tally.agreeing += agreeing;
          tally.inOrder += inOrder;
        }
      }
      const lists = count * (repetitions + 1);
      const exact = [...tallies].find(([{ name }]) => name === reference)![1];
      console.log(`${count} ${count === 1 ? 'query' : 'queries'} at once, median of ${repetitions}:`);
      for (const [{ name }, tally] of tallies) {
        const own = median(tally.milliseconds);
        const times = (own / median(exact.milliseconds)).toFixed(1);
        console.log(
          `  ${name.padEnd(6)} ${own.toFixed(1)} ms, ${times} times exact; hits equal for ${tally.agreeing} of ${lists} queries, ${tally.inOrder} of them in the very same order`,
        );
      }
    }
    for (const searcher of searchers) await searcher.dispose();
    await index.close();
  } finally {
    await engine.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}
