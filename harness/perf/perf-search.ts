/** `npm run perf -- search`: the searchers `exact` and `faiss` over one index of random vectors, in turns. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IdentifierWriter } from '../index/identifiers.js';
import { IndexShardWriter } from '../index/shard-files.js';
import { finishIndex, identifiersPath, openIndex } from '../index/vector-index.js';
import { type Stream, stream } from '../random.js';
import { openSearcher, type PassageHits, type Searcher } from '../search/search.js';
import { median } from '../statistics/summary.js';
import { openEngine } from '../tensor/engines.js';

const passages = 100_000;
const dimensions = 768;
const depth = 100;
const memoryBytes = 2 ** 30;
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

export default async function perfSearch(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'strata-perf-'));
  const engine = await openEngine('onnx');
  try {
    await writeIndex(folder);
    const index = await openIndex(folder);
    const exact = await openSearcher('exact', index, { engine, memoryBytes });
    const faiss = await openSearcher('faiss', index, { engine, memoryBytes });
    console.log(`${passages} x ${dimensions}, k = ${depth}, ${engine.threads} threads`);
    const random = stream(1, 'perf', 'queries');
    for (const [count, repetitions] of trials) {
      const exactTimes: number[] = [];
      const faissTimes: number[] = [];
      let agreeing = 0;
      let inOrder = 0;
      // The first round compiles and touches all memory once; it is not counted.
      for (let repetition = 0; repetition <= repetitions; repetition++) {
        const queries = normalVectors(count, random);
        // Whoever comes second finds the caches as the other left them: they take turns.
        const exactFirst = repetition % 2 === 0;
        const before = exactFirst ? await timed(exact, queries, count) : undefined;
        const ofFaiss = await timed(faiss, queries, count);
        const ofExact = before ?? (await timed(exact, queries, count));
        if (repetition > 0) {
          exactTimes.push(ofExact.milliseconds);
          faissTimes.push(ofFaiss.milliseconds);
        }
        const compared = compare(ofExact.hits, ofFaiss.hits);
        agreeing += compared.agreeing;
        inOrder += compared.inOrder;
      }
      const [exactMs, faissMs] = [median(exactTimes), median(faissTimes)];
      const lists = count * (repetitions + 1);
      console.log(`${count} ${count === 1 ? 'query' : 'queries'} at once, median of ${repetitions}:`);
      console.log(`  exact  ${exactMs.toFixed(1)} ms`);
      console.log(`  faiss  ${faissMs.toFixed(1)} ms, ${(faissMs / exactMs).toFixed(1)} times exact`);
      console.log(
        `  hits equal for ${agreeing} of ${lists} queries, ${inOrder} of them in the very same order`,
      );
    }
    await exact.dispose();
    await faiss.dispose();
    await index.close();
  } finally {
    await engine.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}
