/** Indexes: their shards, ids, dictionaries and postings, and FAISS's own files. */
import path from 'node:path';
import { openBm25Index } from '../../../harness/index/bm25-index.js';
import { Terms } from '../../../harness/index/bm25-terms.js';
import { writeBm25Index } from '../../../harness/index/bm25-writer.js';
import { Identifiers } from '../../../harness/index/identifiers.js';
import { PassageTexts, writePassageTexts } from '../../../harness/index/passage-texts.js';
import { ShardReader } from '../../../harness/index/shard.js';
import { readShardFacts } from '../../../harness/index/shard-files.js';
import { indexSize } from '../../../harness/index/size.js';
import { finishIndex, openIndex, type VectorIndex } from '../../../harness/index/vector-index.js';
import { Bm25Searcher } from '../../../harness/search/bm25.js';
import { searchPassages } from '../../../harness/search/passages.js';
import { FaissSearcher } from '../../../harness/searchers/faiss/flat.js';
import { copyWithParameter, findSearchParameter } from '../../../harness/searchers/faiss/parameter-file.js';
import { assertGraphFile } from '../../../harness/searchers/usearch/graph-file.js';
import { EnglishAnalyzer } from '../../../harness/text/english-analyzer.js';
import { makeIndex, normalRows } from '../../made-index.js';
import { drawnPassages, streamed } from '../../made-passages.js';
import { type Files, type Loader, UnfitResult } from '../loader.js';
import { checkNumbers } from '../results-checked.js';
import { written } from '../valid-files.js';

const dimensions = 4;
const vectorIndex = (vectors: number | readonly number[], shards: number): Promise<Files> =>
  written(async (folder) => {
    const rows = typeof vectors === 'number' ? 8 * vectors : vectors.reduce((sum, count) => sum + count, 0);
    await (await makeIndex(folder, normalRows(rows, dimensions, 'fuzz'), vectors, shards)).close();
  });
const only = (files: Files, pattern: RegExp): Files =>
  Object.fromEntries(Object.entries(files).filter(([name]) => pattern.test(name)));

const bm25Index = (): Promise<Files> =>
  written(async (folder) => {
    const analyzer = await EnglishAnalyzer.open({ stemmer: 'porter', stopWords: true });
    await writeBm25Index({ passages: streamed(drawnPassages(20)), analyzer, folder });
  });

/** The beginning of an inverted file, and of a graph, as FAISS writes them: see faiss-file.ts. */
function faissFiles(): Files[] {
  const header = (kind: string) => {
    const bytes = Buffer.alloc(37);
    bytes.write(kind, 0, 'latin1');
    bytes.writeInt32LE(dimensions, 4);
    bytes.writeBigInt64LE(8n, 8);
    bytes.writeBigInt64LE(1n << 20n, 16);
    bytes.writeBigInt64LE(1n << 20n, 24);
    bytes.writeUInt8(1, 32);
    return bytes;
  };
  const longs = (...numbers: readonly bigint[]) => Buffer.from(BigInt64Array.from(numbers).buffer);
  const ints = (...numbers: readonly number[]) => Buffer.from(Int32Array.from(numbers).buffer);
  const vector = (length: number, bytes: number) =>
    Buffer.concat([longs(BigInt(length)), Buffer.alloc(length * bytes)]);
  const inverted = Buffer.concat([header('IwFl'), longs(4n, 1n), header('IxFI'), Buffer.alloc(40)]);
  const graph = Buffer.concat([
    ...[header('IHNf'), vector(2, 8), vector(2, 4), vector(8, 4), vector(9, 8), vector(16, 4)],
    ...[ints(0, 1, 40, 16, 1), header('IxFI'), Buffer.alloc(8)],
  ]);
  const behind = Buffer.concat([header('IxPT'), ints(1), Buffer.from('VNrm'), Buffer.alloc(13), inverted]);
  return [inverted, graph, behind].map((input) => ({ input }));
}

const graph = { links: 4, scalar: 'f32', dimensions, rows: 3 } as const;

/** Three rows on one layer, each a neighbour of the others, as usearch writes them: see graph-file.ts. */
function graphFile(): Files {
  const head = Buffer.alloc(64);
  head.write('usearch', 'latin1');
  head.writeUInt16LE(2, 7);
  Buffer.from(['i'.charCodeAt(0), 11, 14, 15]).copy(head, 13);
  head.writeBigUInt64LE(3n, 17);
  head.writeBigUInt64LE(BigInt(dimensions), 33);
  const longs = (...numbers: readonly bigint[]) => Buffer.from(BigUint64Array.from(numbers).buffer);
  const ints = (...numbers: readonly number[]) => Buffer.from(Uint32Array.from(numbers).buffer);
  const layers = Buffer.alloc(6);
  const nodes = [0, 1, 2].map((row) => {
    const others = [0, 1, 2].filter((other) => other !== row);
    const links = Array.from({ length: 8 }, (_, i) => others[i] ?? 0);
    return Buffer.concat([longs(BigInt(row)), Buffer.alloc(2), ints(2, ...links)]);
  });
  const vectors = Buffer.from(Float32Array.from({ length: 3 * dimensions }, (_, i) => i / 8).buffer);
  const input = Buffer.concat([
    ...[ints(3, 4 * dimensions), vectors, head, longs(3n, 4n, 8n, 0n, 0n), layers],
    ...nodes,
  ]);
  return { input };
}

/** Every row and every id, where a search would look. */
async function readAll(index: VectorIndex): Promise<void> {
  try {
    const identifiers = await index.identifiers();
    const rows = new Float32Array(index.vectors * index.dimensions);
    await index.readRows(0, index.vectors, rows);
    for (let row = 0; row < index.vectors; row++) {
      const passage = index.passageOf(row);
      identifiers.at(passage);
      if (!(index.firstRowOf(passage) <= row)) throw new UnfitResult(`row ${row} stands before its passage`);
    }
  } finally {
    await index.close();
  }
}

const loaders: readonly Loader[] = [
  {
    name: 'shard',
    inputs: async () => [only(await vectorIndex(1, 1), /\.faiss$/)],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const reader = await ShardReader.open(path.join(folder, 'shard-00000.faiss'));
      try {
        await reader.read(0, reader.rows, new Float32Array(reader.rows * reader.dimensions));
      } finally {
        await reader.close();
      }
    },
  },
  {
    // What this lets through is read by usearch.
    name: 'usearch-graph',
    inputs: () => [graphFile()],
    codes: ['CACHE_INVALID'],
    load: (folder) => assertGraphFile(path.join(folder, 'input'), graph),
  },
  {
    name: 'shard-facts',
    writes: true,
    inputs: async () =>
      [await vectorIndex(2, 2), await vectorIndex([1, 2, 0, 3], 2)].map((files) =>
        only(files, /shard.*json$|identifiers/),
      ),
    codes: ['CACHE_INVALID'],
    async load(folder) {
      await readShardFacts(folder, 0);
      await finishIndex(folder, 2);
    },
  },
  {
    name: 'identifiers',
    inputs: async () => [only(await vectorIndex(1, 1), /^identifiers$/)],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const file = path.join(folder, 'identifiers');
      await Identifiers.count(file);
      const identifiers = await Identifiers.open(file);
      for (let i = 0; i < identifiers.count; i++) identifiers.at(i);
    },
  },
  {
    name: 'passage-texts',
    inputs: async () => [
      await written(async (folder) => {
        const texts = async function* () {
          yield* ['the old castle', '', 'Лампа'];
        };
        await writePassageTexts(folder, texts());
      }),
    ],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      for (const memoryBytes of [0, 1 << 20]) {
        const texts = await PassageTexts.open(folder, memoryBytes);
        try {
          for (let ordinal = 0; ordinal < texts.passages; ordinal++) await texts.at(ordinal);
        } finally {
          await texts.close();
        }
      }
    },
  },
  {
    name: 'vector-index',
    inputs: async () => [await vectorIndex(1, 2), await vectorIndex([1, 3, 0, 2], 1)],
    codes: ['CACHE_INVALID', 'PATH_INVALID'],
    async load(folder) {
      await readAll(await openIndex(folder));
      await indexSize(folder);
    },
  },
  {
    // What the checks of a shard's header let through is read by FAISS.
    name: 'faiss-shard',
    inputs: async () => [await vectorIndex(1, 2), await vectorIndex([1, 3, 0, 2], 1)],
    codes: ['CACHE_INVALID', 'PATH_INVALID', 'UNAVAILABLE'],
    async load(folder) {
      const index = await openIndex(folder);
      try {
        // Of numbers that are none, or whose products would be, the hash of the artifact tells.
        const rows = new Float32Array(index.vectors * index.dimensions);
        await index.readRows(0, index.vectors, rows);
        if (!rows.every((value) => Math.abs(value) < 1e18)) return;
        const searcher = await FaissSearcher.open(index, 1 << 20);
        const query = new Float32Array(index.dimensions).fill(1);
        const { counts, ordinals, scores } = await searchPassages(searcher, index, query, 1, 3, 1 << 20);
        const own = ordinals.subarray(0, counts[0]);
        if (
          new Set(own).size !== own.length ||
          own.some((ordinal) => ordinal < 0 || ordinal >= index.passages)
        )
          throw new UnfitResult(`the passages ${own}`);
        checkNumbers(scores.subarray(0, counts[0]));
      } finally {
        await index.close();
      }
    },
  },
  {
    name: 'bm25-index',
    inputs: async () => [await bm25Index()],
    codes: ['CACHE_INVALID', 'PATH_INVALID'],
    async load(folder) {
      const index = await openBm25Index(folder, 1 << 20);
      try {
        const searcher = await Bm25Searcher.open(index);
        const identifiers = await index.identifiers();
        const found = await searcher.search(queries, 5);
        checkNumbers(found.scores);
        for (const [query, count] of found.counts.entries())
          for (let i = 0; i < count; i++) identifiers.at(found.ordinals[query * found.depth + i]!);
      } finally {
        await index.close();
      }
    },
  },
  {
    name: 'bm25-terms',
    inputs: async () => [only(await bm25Index(), /^terms$/)],
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const terms = await Terms.open(path.join(folder, 'terms'));
      for (const query of queries) for (const word of query.split(' ')) terms.find(word);
    },
  },
  {
    name: 'faiss-file',
    writes: true,
    inputs: faissFiles,
    codes: ['CACHE_INVALID'],
    async load(folder) {
      const file = path.join(folder, 'input');
      const found = await findSearchParameter(file);
      if (found !== undefined) await copyWithParameter(file, found, 2);
    },
  },
];

const queries = drawnPassages(3).map(({ title, text }) => `${title} ${text}`);

export default loaders;
