/**
 * `npm run perf -- memory`: encodes and searches made-up collections of two sizes, each in a process of its own, and prints the
 * largest resident memory of each: it is to follow the stated budgets, not the collection.
 */
import type { Passage } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { indexSize } from '../index/size.js';
import { openIndex } from '../index/vector-index.js';
import { parseJson } from '../json.js';
import { Retriever } from '../model/retriever.js';
import { initialWeights } from '../model/retriever-files.js';
import { scratchEncoder } from '../model/scratch.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import { openSearcher } from '../pipeline/open-searcher.js';
import { loadArchitecture } from '../plugins.js';
import { silentProgress } from '../progress.js';
import { stream } from '../random.js';
import { bytesOnDisk } from '../store/inventory.js';
import { openEngine } from '../tensor/engines.js';
import { inFolder } from './made-folder.js';
import { shownTurn } from './turns.js';

const sizes = {
  layers: 1,
  dimensions: 256,
  heads: 4,
  intermediate: 256,
  vocabularySize: 5000,
  maxTokens: 32,
  dropout: 0,
};
const budgetMiB = 64;
const queries = 500;

async function* madePassages(count: number): AsyncIterable<Passage> {
  for (let i = 0; i < count; i++) yield { passageId: `p${i}`, title: '', text: '' };
}

/** Encodes and searches N passages in this process. */
async function measure({ count }: { count: number }): Promise<void> {
  await inFolder('memory', async (folder) => {
    const engine = await openEngine('onnx');
    const { encoder, weights } = scratchEncoder(sizes, 1);
    const loaded = await loadArchitecture('dual-encoder');
    const retriever = new Retriever(encoder, true, {
      ...loaded,
      resolved: loaded.family.resolve({}, encoder.shape),
    });
    const fixed = initialWeights(retriever, weights);
    const options = { engine, retriever, weights: fixed, maxTokens: 32, batchTokens: 4096 };
    const random = stream(1, 'memory');
    const tokens = () => Int32Array.from({ length: 16 }, () => random.integer(sizes.vocabularySize));
    const passages = new VectorEncoder({ ...options, side: 'passage' });
    const memoryBytes = budgetMiB * 2 ** 20;
    const started = performance.now();
    await encodeCollection({
      passages: madePassages(count),
      count,
      encoder: {
        dimensions: retriever.dimensions,
        mostVectors: 1,
        encode: (window) => passages.encode(window.map(tokens)),
      },
      vectorsPerPassage: 1,
      folder,
      shardPassages: 50_000,
      memoryBytes,
      progress: silentProgress(),
    });
    const encodeSeconds = (performance.now() - started) / 1000;
    await passages.dispose();
    const index = await openIndex(folder);
    const searcher = await openSearcher('exact', index, { engine, memoryBytes });
    const encoded = await new VectorEncoder({ ...options, side: 'query' }).encode(
      Array.from({ length: queries }, tokens),
    );
    await searcher.search(encoded.vectors, queries, 100);
    const { vectorsBytes } = await indexSize(folder);
    const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
    console.log(
      `${count} passages: index ${mib(vectorsBytes)} (${mib(await bytesOnDisk(folder))} on disk), ` +
        `largest resident memory ${mib(process.resourceUsage().maxRSS * 1024)}, ` +
        `vectors ${searcher.resident ? 'kept in memory' : 'streamed from disk'}, ` +
        `${(count / encodeSeconds).toFixed(0)} passages encoded per second`,
    );
  });
}

export default async function perfMemory([job]: readonly string[]): Promise<void> {
  if (job !== undefined) return measure(parseJson(job) as { count: number });
  console.log(
    `budgets: ${budgetMiB} MiB for encoding, ${budgetMiB} MiB for search; the process itself comes on top`,
  );
  for (const count of [50_000, 200_000, 400_000]) shownTurn('memory', { count });
}
