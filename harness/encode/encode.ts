/** From passages to an index: streamed, in shards that are each whole or absent, so that a killed run goes on. */
import type { Passage } from '../contracts.js';
import { IdentifierWriter } from '../index/identifiers.js';
import type { IndexFacts } from '../index/index-facts.js';
import { wrongCount } from '../index/passage-count.js';
import { IndexShardWriter, isWhole, planShards, type ShardRange } from '../index/shard-files.js';
import { finishIndex, identifiersPath } from '../index/vector-index.js';
import type { EncodedTexts } from '../model/vector-encoder.js';
import type { Progress, StageProgress } from '../progress.js';

/** Gives passages their vectors. */
export interface PassageEncoder {
  /** D */
  dimensions: number;
  /** Of one passage, at most. */
  mostVectors: number;
  /** @param first the place of the first of them in the collection */
  encode(passages: readonly Passage[], first: number): Promise<EncodedTexts>;
}

export interface EncodeRequest {
  /** In the collection's order; read once. */
  passages: AsyncIterable<Passage>;
  /** N, as the dataset says. */
  count: number;
  encoder: PassageEncoder;
  /** M, or 'varies'. */
  vectorsPerPassage: number | 'varies';
  folder: string;
  shardPassages: number;
  /** What the passages being encoded and their vectors may take; the engine's own workspace comes on top. */
  memoryBytes: number;
  /** What is encoded, for people; passages where absent. */
  what?: 'passages' | 'queries';
  progress: Progress;
}

/** Passages tokenized and sorted by length together, where memory allows: enough of them to pad little. */
const largestWindow = 4096;

/** How many passages are in hand at once: their vectors are held up to three times, by batch, by passage and joined. */
function windowOf({ encoder: { mostVectors, dimensions }, memoryBytes }: EncodeRequest): number {
  const perPassage = 3 * 4 * mostVectors * dimensions;
  return Math.max(1, Math.min(largestWindow, Math.floor(memoryBytes / perPassage)));
}

/** The shards of a collection: each is encoded by itself, so that its bytes do not depend on where the others are. */
export const shardsOf = ({ count, shardPassages }: Pick<EncodeRequest, 'count' | 'shardPassages'>) =>
  planShards(count, Math.max(1, Math.ceil(count / shardPassages)));

/**
 * Makes the index in `folder`, going on with what an earlier process finished there.
 * @throws BenchError DATA_INVALID where the collection is not what the dataset says, INTERRUPTED between two windows
 */
export async function encodeCollection(request: EncodeRequest): Promise<IndexFacts> {
  const { folder } = request;
  const shards = shardsOf(request);
  const identifiers = new IdentifierWriter(identifiersPath(folder));
  await encodeShards(request, shards, (passageId) => identifiers.append(passageId));
  await identifiers.commit();
  return finishIndex(folder, shards.length);
}

/** As `EncodeRequest`, where what is read of the collection begins with the shard. */
export interface ShardRequest extends Omit<EncodeRequest, 'passages'> {
  /** @param ordinal of the first that is given */
  passagesFrom(ordinal: number): AsyncIterable<Passage>;
}

/**
 * Makes one shard in `folder`, as `encodeCollection` would, and nothing else; passages behind it are not read.
 * @throws as encodeCollection
 */
export async function encodeShard({ passagesFrom, ...request }: ShardRequest, number: number): Promise<void> {
  const range = shardsOf(request)[number];
  if (range === undefined) throw new RangeError(`there is no shard ${number}`);
  const { firstPassage } = range;
  let ordinal = firstPassage;
  const passages = passagesFrom(firstPassage);
  await encodeShards({ ...request, passages }, [range], () => ordinal++, firstPassage);
}

/**
 * @param name is told of every passage, and gives its ordinal @param before passages that stand before those that are given
 * @throws BenchError DATA_INVALID where there are fewer, or more in all
 */
async function encodeShards(
  request: EncodeRequest,
  shards: readonly ShardRange[],
  name: (passageId: string) => number,
  before = 0,
): Promise<void> {
  const { passages, count, progress, what = 'passages' } = request;
  const windowPassages = windowOf(request);
  const end = shards.at(-1)!.firstPassage + shards.at(-1)!.passages;
  // Told of with the first passage: its rate is not that of reading up to it.
  let stage: StageProgress | undefined;
  let read = before;
  let current: ShardEncoder | undefined;
  let window: Passage[] = [];
  const flush = async () => {
    await current?.add(window);
    window = [];
    stage?.update(read - before);
    progress.checkInterrupted();
  };
  try {
    for await (const passage of passages) {
      if (read === end) {
        if (end === count) throw wrongCount(count, 'more');
        break;
      }
      stage ??= progress.stage(what === 'passages' ? 'encode' : 'encode queries', end - before, what);
      const ordinal = name(passage.passageId);
      read++;
      const range = shards.find(({ firstPassage, passages: size }) => ordinal < firstPassage + size)!;
      if (ordinal === range.firstPassage) {
        await flush();
        await current?.finish();
        current = await ShardEncoder.begin(request, range);
      }
      if (current !== undefined) window.push(passage);
      if (window.length === windowPassages) await flush();
    }
    await flush();
    // A shard that the collection's end has cut is never whole, whoever asks for it next.
    if (read < end) throw wrongCount(count, String(read));
    await current?.finish();
  } catch (error) {
    await current?.abort();
    throw error;
  }
  stage?.end();
}

/** The shard that is being made. */
class ShardEncoder {
  private constructor(
    readonly request: EncodeRequest,
    readonly writer: IndexShardWriter,
    readonly firstPassage: number,
  ) {}

  /** Undefined where the shard is there already. */
  static async begin(
    request: EncodeRequest,
    { number, firstPassage }: ShardRange,
  ): Promise<ShardEncoder | undefined> {
    if (await isWhole(request.folder, number, request.progress.note)) return undefined;
    const { dimensions } = request.encoder;
    const layout = { number, firstPassage, dimensions, vectorsPerPassage: request.vectorsPerPassage };
    return new ShardEncoder(request, await IndexShardWriter.create(request.folder, layout), firstPassage);
  }

  async add(window: readonly Passage[]): Promise<void> {
    if (window.length === 0) return;
    const { encoder, vectorsPerPassage } = this.request;
    const { vectors, counts } = await encoder.encode(window, this.firstPassage + this.writer.passages);
    await this.writer.append(vectors, vectorsPerPassage === 'varies' ? counts : undefined);
  }

  async finish(): Promise<void> {
    await this.writer.commit();
  }

  abort(): Promise<void> {
    return this.writer.abort();
  }
}
