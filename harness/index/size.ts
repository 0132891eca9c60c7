/** What an index takes on disk, part by part, as it is and as it will be. */
import { stat } from 'node:fs/promises';
import { shardPaths } from './shard-files.js';
import { identifiersPath, readIndexFacts } from './vector-index.js';

/** Passages of Wikipedia as DPR cut it, psgs_w100.tsv: what the paper's index sizes are of. */
export const wikipediaPassages = 21_015_324;

/** Bytes of the files a search needs. The descriptions (index.json and one JSON file a shard) are not counted. */
export interface IndexSize {
  /** The shards, with their headers of 45 bytes. */
  vectorsBytes: number;
  /** The passage ids. */
  identifiersBytes: number;
  /** Where M varies, the tables of each passage's first row; else 0. */
  offsetsBytes: number;
  totalBytes: number;
}

/** What the files of a finished index take, asked of the file system. */
export async function indexSize(folder: string): Promise<IndexSize> {
  const { shards } = await readIndexFacts(folder);
  let vectorsBytes = 0;
  let offsetsBytes = 0;
  for (const shard of shards) {
    const paths = shardPaths(folder, shard.number);
    vectorsBytes += (await stat(paths.vectors)).size;
    if (shard.vectorsPerPassage === 'varies') offsetsBytes += (await stat(paths.offsets)).size;
  }
  const { size: identifiersBytes } = await stat(identifiersPath(folder));
  const totalBytes = vectorsBytes + identifiersBytes + offsetsBytes;
  return { vectorsBytes, identifiersBytes, offsetsBytes, totalBytes };
}

/** Bytes of the bare vectors of so many passages. @param perPassage vectors, a whole number */
export const vectorsBytes = (
  { perPassage, dimensions }: { perPassage: number; dimensions: number },
  passages: number,
): number => 4 * passages * perPassage * dimensions;

/**
 * The same of Wikipedia's passages at this index's mean number of vectors per passage: the figure the paper gives
 * (60.13 GiB for M = 1 and D = 768, 481 GiB for M = 8).
 * @param index N, rows of all passages, D
 */
export function projectedVectorsBytes(index: {
  passages: number;
  vectors: number;
  dimensions: number;
}): number {
  if (index.passages === 0) return 0;
  // In whole numbers: the product has more digits than a double holds.
  const [bytes, own] = [
    BigInt(index.vectors) * BigInt(wikipediaPassages) * BigInt(index.dimensions) * 4n,
    BigInt(index.passages),
  ];
  return Number((2n * bytes + own) / (2n * own));
}
