/** Two indexes as one: the shards of the first, and behind them those of the second as far as its first passages go. */
import { Identifiers, IdentifierWriter } from './identifiers.js';
import type { IndexFacts } from './index-facts.js';
import { adoptShard, IndexShardWriter } from './shard-files.js';
import { finishIndex, identifiersPath, openIndex, type VectorIndex } from './vector-index.js';

/** Numbers of vectors copied at once. */
const usuallyCopied = 4_000_000;

/**
 * Shards that are taken whole are linked; where the last passages end within a shard, its beginning is copied.
 * @param count passages of the second
 * @param copiedNumbers how many numbers of vectors are held at once, but for a passage that has more
 * @throws BenchError CACHE_INVALID; DATA_INVALID where both have a passage id
 */
export async function joinShards(
  folder: string,
  first: string,
  second: string,
  count: number,
  copiedNumbers = usuallyCopied,
): Promise<IndexFacts> {
  const before = await openIndex(first);
  let behind: VectorIndex | undefined;
  try {
    behind = await openIndex(second);
    if (count < 1 || count > behind.passages)
      throw new RangeError(`${count} passages of an index of ${behind.passages}`);
    const shards = before.shards.length;
    for (const { number } of before.shards) await adoptShard(first, folder, number);
    let taken = 0;
    for (const { number, passages } of behind.shards) {
      if (taken >= count) break;
      const place = { number: shards + number, firstPassage: before.passages + taken };
      const kept = Math.min(passages, count - taken);
      if (kept === passages) await adoptShard(second, folder, number, place);
      else await copyPassages(behind, number, kept, folder, place, copiedNumbers);
      taken += kept;
    }
    const last = behind.shards.filter(({ firstPassage }) => firstPassage < count).length;
    await joinIdentifiers(folder, first, second, count);
    return await finishIndex(folder, shards + last);
  } finally {
    await before.close();
    await behind?.close();
  }
}

async function copyPassages(
  index: VectorIndex,
  number: number,
  passages: number,
  folder: string,
  place: { number: number; firstPassage: number },
  copiedNumbers: number,
): Promise<void> {
  const { dimensions, vectorsPerPassage } = index;
  const { starts, reader } = index.shards[number]!;
  const writer = await IndexShardWriter.create(folder, { ...place, dimensions, vectorsPerPassage });
  const rowOf = (passage: number) => starts?.[passage] ?? passage * Number(vectorsPerPassage);
  try {
    for (let from = 0; from < passages; ) {
      let to = from + 1;
      while (to < passages && (rowOf(to + 1) - rowOf(from)) * dimensions <= copiedNumbers) to++;
      const rows = rowOf(to) - rowOf(from);
      const vectors = new Float32Array(rows * dimensions);
      await reader.read(rowOf(from), rows, vectors);
      const counts =
        starts && Array.from({ length: to - from }, (_, i) => rowOf(from + i + 1) - rowOf(from + i));
      await writer.append(vectors, counts);
      from = to;
    }
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function joinIdentifiers(folder: string, first: string, second: string, count: number): Promise<void> {
  const writer = new IdentifierWriter(identifiersPath(folder));
  for (const [from, most] of [
    [first, Number.POSITIVE_INFINITY],
    [second, count],
  ] as const) {
    const identifiers = await Identifiers.open(identifiersPath(from));
    for (let ordinal = 0; ordinal < Math.min(identifiers.count, most); ordinal++)
      writer.append(identifiers.at(ordinal));
  }
  await writer.commit();
}
