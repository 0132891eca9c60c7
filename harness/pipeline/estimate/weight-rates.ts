/** What weighing tokens, indexing and searching take here: a few passages and queries are really worked on. */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { closing } from '../../closing.js';
import type { BenchConfig } from '../../config/config.js';
import { counted } from '../../counted.js';
import { IdentifierWriter } from '../../index/identifiers.js';
import { writeImpactIndex } from '../../index/impact-writer.js';
import { IndexShardWriter } from '../../index/shard-files.js';
import { largestWeights, weightColumns } from '../../index/token-weights.js';
import { finishIndex, identifiersPath, openIndex } from '../../index/vector-index.js';
import type { EncodedTexts } from '../../model/vector-encoder.js';
import { openImpacts } from '../../search/impacts.js';
import type { Engine } from '../../tensor/engine.js';
import { openEncoder } from '../open-model.js';
import { openQueryWeights, type SparseModel } from '../sparse-model.js';
import { latencyTime } from './latency-time.js';
import type { PartOfDataset, WholeSizes } from './part-of-dataset.js';
import type { StageTime } from './stage-time.js';
import { encodes, named, ofKind } from './stage-times.js';
import { affordable, spell, timed } from './timed.js';

export interface WeightRates {
  secondsPerPassage: number;
  encoded: number;
  encodeQuery: { alone: number; inBatch: number };
  indexPassage: number;
  /** By passage of the index, one query. */
  searchPassage: number;
  searched: number;
  indexed: number;
  startSeconds: number;
}

/** Weights in the index that is searched. */
const largestIndex = 2e6;

/** @param folder for an index of the weights of a few passages, again and again */
export async function weightRates(
  part: PartOfDataset,
  model: SparseModel,
  config: BenchConfig,
  engine: Engine,
  folder: string,
): Promise<WeightRates> {
  const { retriever, texts, maxTokens, facts } = model;
  const { encode: asked, search } = config;
  const passageEncoder = openEncoder(model, 'passage', engine, asked);
  const queryEncoder = openQueryWeights(model, engine, asked);
  try {
    // The head multiplies with every word.
    const words = { encoder: { parameters: [...retriever.parameters, wordProduct(retriever)] } };
    const few = part.passages.slice(0, Math.min(256, 3 * affordable(words, 1, maxTokens.passage)));
    let encoded: EncodedTexts | undefined;
    const passages = await timed(async () => {
      encoded = retriever.weightsOf((await passageEncoder.encode(few.map(texts.passage))).vectors);
    });
    const queries = (await part.dataset.queries('test')).slice(0, Math.min(search.batchSize, 32));
    const encode = async (some: typeof queries) =>
      largestWeights(await queryEncoder.encode(some.map(({ text }) => texts.query(text))), facts.kept.query);
    let weights = await encode(queries);
    const inBatch = await timed(async () => {
      weights = await encode(queries);
    });
    const alone = await timed(() => encode(queries.slice(0, 1)));
    const started = performance.now();
    const indexed = await writeIndex(folder, part.whole.passages, encoded!, model);
    const indexSeconds = (performance.now() - started) / 1000;
    const { index, searcher } = await openImpacts(path.join(folder, 'index'), search.memoryMiB);
    return await closing(index, async () => {
      const many = await timed(() => searcher.search(weights, search.depth));
      const asked = Math.max(1, queries.length);
      return {
        secondsPerPassage: passages.seconds / few.length,
        encoded: few.length,
        encodeQuery: { alone: alone.seconds, inBatch: inBatch.seconds / asked },
        indexPassage: indexSeconds / indexed,
        searchPassage: many.seconds / asked / indexed,
        searched: queries.length,
        indexed,
        startSeconds: passages.startSeconds + inBatch.startSeconds,
      };
    });
  } finally {
    await Promise.all([passageEncoder.dispose(), queryEncoder.close()]);
  }
}

const wordProduct = ({ encoder }: SparseModel['retriever']) => ({
  name: 'words',
  shape: [encoder.vocabularySize, encoder.shape.dimensions],
  decay: false,
});

/** @returns passages of the index */
async function writeIndex(
  folder: string,
  wanted: number,
  { vectors, counts }: EncodedTexts,
  { retriever, facts }: SparseModel,
): Promise<number> {
  const shards = path.join(folder, 'shards');
  await mkdir(shards, { recursive: true });
  const weights = Math.max(1, vectors.length / weightColumns);
  const rounds = Math.max(1, Math.floor(Math.min(largestIndex / weights, wanted / counts.length)));
  const writer = await IndexShardWriter.create(shards, {
    ...{ number: 0, firstPassage: 0, dimensions: weightColumns, vectorsPerPassage: 'varies' as const },
  });
  const identifiers = new IdentifierWriter(identifiersPath(shards));
  for (let round = 0; round < rounds; round++) {
    await writer.append(vectors, counts);
    for (let i = 0; i < counts.length; i++) identifiers.append(`${round} ${i}`);
  }
  await writer.commit();
  await identifiers.commit();
  await finishIndex(shards, 1);
  const target = path.join(folder, 'index');
  await mkdir(target, { recursive: true });
  await closing(await openIndex(shards), (index) =>
    writeImpactIndex({
      ...{ weights: index, tokens: retriever.dimensions, folder: target, most: facts.kept.passage },
      blockPostings: largestIndex,
    }),
  );
  return rounds * counts.length;
}

export function weightTimes(rates: WeightRates, whole: WholeSizes, config: BenchConfig): StageTime[] {
  const { secondsPerPassage, encoded, encodeQuery, indexPassage, searchPassage } = rates;
  const { passages, queries } = whole;
  const search = passages * searchPassage;
  const inBatch = encodeQuery.inBatch + search;
  return [
    {
      stage: 'encode',
      seconds: rates.startSeconds + whole.encoded * secondsPerPassage,
      basis: `${counted(whole.encoded, 'passages')} of ${spell(secondsPerPassage)}, measured now on ${counted(encoded, 'passages')}`,
      makes: (graph) => ofKind('shards')(graph).filter(encodes).slice(-1),
    },
    {
      stage: 'index',
      seconds: passages * indexPassage,
      basis: `${counted(passages, 'passages')}, measured now on ${counted(rates.indexed, 'passages')}`,
      makes: ofKind('indexes'),
    },
    {
      stage: 'search',
      seconds: queries.test * inBatch,
      basis: `${counted(queries.test, 'queries')} of ${spell(inBatch)}, measured now on ${counted(rates.searched, 'queries')} in an index of ${counted(rates.indexed, 'passages')}`,
      makes: named('search'),
    },
    latencyTime(config, queries.test, encodeQuery.alone + search, inBatch),
  ];
}
