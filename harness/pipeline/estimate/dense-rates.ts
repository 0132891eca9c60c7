/** What encoding passages and searching with queries take here: a few of them are really encoded and searched. */
import { mkdir } from 'node:fs/promises';
import type { BenchConfig } from '../../config/config.js';
import { IdentifierWriter } from '../../index/identifiers.js';
import { IndexShardWriter } from '../../index/shard-files.js';
import { finishIndex, identifiersPath, openIndex } from '../../index/vector-index.js';
import type { EncodedTexts } from '../../model/vector-encoder.js';
import type { Engine } from '../../tensor/engine.js';
import { flatSearcher } from '../choose-searcher.js';
import { type OpenModel, openEncoder } from '../open-model.js';
import { openSearcher, searchBudget } from '../open-searcher.js';
import type { PartOfDataset } from './part-of-dataset.js';
import { affordable, timed } from './timed.js';

export interface DenseRates {
  secondsPerPassage: number;
  encoded: number;
  /** Encoding a query and searching, alone and in a batch; the search of the latter in proportion to the index. */
  encodeQuery: { alone: number; inBatch: number };
  /** By passage of the index. */
  searchPassage: { alone: number; inBatch: number };
  searched: number;
  /** Passages in the index that was searched. */
  indexed: number;
  /** Compiling, opening. */
  startSeconds: number;
}

/** Numbers in the vectors of the index that is searched. */
const largestIndex = 4e6;

/** @param folder for an index of made vectors */
export async function denseRates(
  part: PartOfDataset,
  model: Pick<OpenModel, 'retriever' | 'weights' | 'texts' | 'maxTokens'>,
  config: BenchConfig,
  engine: Engine,
  folder: string,
): Promise<DenseRates> {
  const { retriever, texts, maxTokens } = model;
  const { encode: asked, search } = config;
  const passageEncoder = openEncoder(model, 'passage', engine, asked);
  const queryEncoder = openEncoder(model, 'query', engine, asked);
  try {
    const few = part.passages.slice(0, Math.min(1024, 3 * affordable(retriever, 1, maxTokens.passage)));
    let encoded: EncodedTexts | undefined;
    const passages = await timed(async () => {
      encoded = await passageEncoder.encode(few.map(texts.passage));
    });
    const queries = (await part.dataset.queries('test')).slice(
      0,
      Math.min(search.batchSize, affordable(retriever, 1, maxTokens.query)),
    );
    const encode = async (some: typeof queries) =>
      (await queryEncoder.encode(some.map((query) => texts.query(query.text)))).vectors;
    let vectors: Float32Array = new Float32Array(0);
    let one = vectors;
    const inBatch = await timed(async () => {
      vectors = await encode(queries);
    });
    const alone = await timed(async () => {
      one = await encode(queries.slice(0, 1));
    });
    const indexed = await writeIndex(folder, part.whole.passages, encoded!, retriever);
    const index = await openIndex(folder);
    const searcher = await openSearcher(await flatSearcher(config), index, {
      engine,
      ...searchBudget(config),
    });
    try {
      const many = await timed(() => searcher.search(vectors, queries.length, search.depth));
      const single = await timed(() => searcher.search(one, 1, search.depth));
      return {
        secondsPerPassage: passages.seconds / few.length,
        encoded: few.length,
        encodeQuery: { alone: alone.seconds, inBatch: inBatch.seconds / queries.length },
        searchPassage: { alone: single.seconds / indexed, inBatch: many.seconds / queries.length / indexed },
        searched: queries.length,
        indexed,
        startSeconds: passages.startSeconds + inBatch.startSeconds + many.startSeconds,
      };
    } finally {
      await searcher.dispose();
      await index.close();
    }
  } finally {
    await Promise.all([passageEncoder.dispose(), queryEncoder.dispose()]);
  }
}

/** As many passages as the collection has, or as are quickly written, with the vectors of a few again and again. @returns their number */
async function writeIndex(
  folder: string,
  wanted: number,
  { vectors, counts }: EncodedTexts,
  { indexedVectors, dimensions }: OpenModel['retriever'],
): Promise<number> {
  await mkdir(folder, { recursive: true });
  const rounds = Math.max(1, Math.floor(Math.min(largestIndex / vectors.length, wanted / counts.length)));
  const writer = await IndexShardWriter.create(folder, {
    ...{ number: 0, firstPassage: 0, dimensions, vectorsPerPassage: indexedVectors },
  });
  const identifiers = new IdentifierWriter(identifiersPath(folder));
  for (let round = 0; round < rounds; round++) {
    await writer.append(vectors, indexedVectors === 'varies' ? counts : undefined);
    for (let i = 0; i < counts.length; i++) identifiers.append(`${round} ${i}`);
  }
  await writer.commit();
  await identifiers.commit();
  await finishIndex(folder, 1);
  return rounds * counts.length;
}
