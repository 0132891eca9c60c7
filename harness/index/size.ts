/** What an index takes on disk, part by part, as it is and as it will be. */
import { stat } from 'node:fs/promises';
import { identifiersBytes } from './identifiers.js';
import { shardHeaderBytes } from './shard.js';
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

/** What of an index decides its size. */
export interface IndexCounts {
  /** N */
  passages: number;
  /** Rows of all passages. */
  vectors: number;
  /** D */
  dimensions: number;
  shards: number;
  /** Bytes of UTF-8 of all passage ids together. */
  idBytes: number;
  /** Whether M depends on the passage. */
  varies: boolean;
}

function total(parts: Omit<IndexSize, 'totalBytes'>): IndexSize {
  return { ...parts, totalBytes: parts.vectorsBytes + parts.identifiersBytes + parts.offsetsBytes };
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
  return total({
    vectorsBytes,
    identifiersBytes: (await stat(identifiersPath(folder))).size,
    offsetsBytes,
  });
}

/** The bytes that an index of these counts takes once it is written, exactly as `indexSize` finds them. */
export function predictedSize(counts: IndexCounts): IndexSize {
  return total({
    vectorsBytes: counts.shards * shardHeaderBytes + counts.vectors * counts.dimensions * 4,
    identifiersBytes: identifiersBytes(counts.passages, counts.idBytes),
    offsetsBytes: counts.varies ? 4 * (counts.passages + counts.shards) : 0,
  });
}

/**
 * Bytes of the bare vectors of so many passages at this index's mean number of vectors per passage: the figure the
 * paper gives for Wikipedia (60.13 GiB for M = 1 and D = 768, 481 GiB for M = 8).
 */
export function projectedVectorsBytes(
  index: Pick<IndexCounts, 'passages' | 'vectors' | 'dimensions'>,
  passages = wikipediaPassages,
): number {
  if (index.passages === 0) return 0;
  // In whole numbers: the product has more digits than a double holds.
  const [bytes, own] = [
    BigInt(index.vectors) * BigInt(passages) * BigInt(index.dimensions) * 4n,
    BigInt(index.passages),
  ];
  return Number((2n * bytes + own) / (2n * own));
}
