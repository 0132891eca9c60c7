/** Encoding the collection and searching it, as stages. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Split } from '../contracts.js';
import { encodeCollection } from '../encode/encode.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import type { Progress } from '../progress.js';
import { openSearcher, type PassageHits, type Searcher } from '../search/search.js';
import { writeAtomic } from '../store/atomic.js';
import type { Artifact } from '../store/store.js';
import type { Engine } from '../tensor/engine.js';
import { datasetIdentity, type Prepared, tokenizers } from './prepare.js';
import { engineIdentity } from './train-stage.js';

/** @param key of the checkpoint that the weights come from */
export function encodeStage(
  prepared: Prepared,
  engine: Engine,
  key: string,
  weights: readonly Float32Array[],
  progress: Progress,
): Promise<Artifact<{ vectors: number }>> {
  const { request, store, dataset, retriever, maxPassageTokens } = prepared;
  const { encode, text } = request.config;
  const inputs = {
    made: 'shards 1',
    checkpoint: key,
    dataset: datasetIdentity(dataset),
    maxPassageTokens,
    pairTruncation: text.pairTruncation,
    shardPassages: encode.shardPassages,
    engine: engineIdentity(engine),
  };
  return store.artifact('shards', inputs, async (folder) => {
    const { batchTokens } = encode;
    const encoder = new VectorEncoder({
      engine,
      retriever,
      weights,
      side: 'passage',
      maxTokens: maxPassageTokens,
      batchTokens,
    });
    try {
      const { vectors } = await encodeCollection({
        passages: dataset.passages(),
        count: dataset.passageCount,
        tokenize: tokenizers(prepared).passage,
        encoder,
        vectorsPerPassage: retriever.indexedVectors,
        folder,
        shardPassages: encode.shardPassages,
        memoryBytes: encode.memoryMiB * 2 ** 20,
        progress,
      });
      return { vectors };
    } finally {
      await encoder.dispose();
    }
  });
}

export interface RunFacts {
  queries: number;
  depth: number;
  searcher: string;
  /** Opening the index and searching all queries. */
  execution: { buildSeconds: number; searchSeconds: number };
}

const arrayFiles = {
  ordinals: 'ordinals.i32',
  scores: 'scores.f32',
  winners: 'winners.i32',
  counts: 'counts.i32',
};

/** Searches all queries of a split. @param key of the shards */
export function searchStage(
  prepared: Prepared,
  searching: Searching,
  key: string,
  split: Split,
  progress: Progress,
): Promise<Artifact<RunFacts>> {
  const { config } = prepared.request;
  const { engine, searcher, queryEncoder, buildSeconds } = searching;
  const inputs = {
    made: 'run 1',
    shards: key,
    split,
    depth: config.search.depth,
    maxQueryTokens: prepared.maxQueryTokens,
    searcher: { name: searcher.name, versions: searcher.versions },
    engine: engineIdentity(engine),
  };
  return prepared.store.artifact('runs', inputs, async (folder) => {
    const queries = await prepared.dataset.queries(split);
    const { batchSize, depth } = config.search;
    const tokenize = tokenizers(prepared).query;
    const stage = progress.stage('search', queries.length, 'queries');
    const parts: PassageHits[] = [];
    let searchMs = 0;
    for (let first = 0; first < queries.length; first += batchSize) {
      progress.checkInterrupted();
      const texts = queries.slice(first, first + batchSize).map(({ text }) => tokenize(text));
      const { vectors } = await queryEncoder.encode(texts);
      const started = performance.now();
      parts.push(await searcher.search(vectors, texts.length, depth));
      searchMs += performance.now() - started;
      stage.update(first + texts.length);
    }
    stage.end();
    await writeHits(folder, parts);
    const execution = { buildSeconds, searchSeconds: searchMs / 1000 };
    return { queries: queries.length, depth: parts[0]?.depth ?? 0, searcher: searcher.name, execution };
  });
}

const bytesOf = (array: Int32Array | Float32Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** Writes hits, batch after batch, where `readHits` finds them. */
export async function writeHits(folder: string, parts: readonly PassageHits[]): Promise<void> {
  for (const [field, file] of Object.entries(arrayFiles)) {
    const arrays = parts.map((part) => part[field as keyof typeof arrayFiles]);
    await writeAtomic(path.join(folder, file), Buffer.concat(arrays.map(bytesOf)));
  }
}

/** The hits that a search stage left. */
export async function readHits({ folder, facts }: Artifact<RunFacts>): Promise<PassageHits> {
  const read = async (file: string) => {
    const bytes = await readFile(path.join(folder, file));
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  };
  return {
    depth: facts.depth,
    ordinals: new Int32Array(await read(arrayFiles.ordinals)),
    scores: new Float32Array(await read(arrayFiles.scores)),
    winners: new Int32Array(await read(arrayFiles.winners)),
    counts: new Int32Array(await read(arrayFiles.counts)),
  };
}

/** Everything that stays open while queries are searched and timed. */
export interface Searching {
  engine: Engine;
  index: VectorIndex;
  searcher: Searcher;
  queryEncoder: VectorEncoder;
  /** What opening the index took. */
  buildSeconds: number;
}

export async function openSearching(
  { request: { config }, retriever, maxQueryTokens }: Prepared,
  engine: Engine,
  weights: readonly Float32Array[],
  folder: string,
): Promise<Searching> {
  const started = performance.now();
  const index = await openIndex(folder);
  const memoryBytes = config.search.memoryMiB * 2 ** 20;
  const searcher = await openSearcher(config.searcher, index, { engine, memoryBytes });
  const buildSeconds = (performance.now() - started) / 1000;
  const { batchTokens } = config.encode;
  const queryEncoder = new VectorEncoder({
    engine,
    retriever,
    weights,
    side: 'query',
    maxTokens: maxQueryTokens,
    batchTokens,
  });
  return { engine, index, searcher, queryEncoder, buildSeconds };
}

export async function closeSearching({ index, searcher, queryEncoder }: Searching): Promise<void> {
  await searcher.dispose();
  await queryEncoder.dispose();
  await index.close();
}
