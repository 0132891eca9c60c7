/** What index.json says of a finished index of vectors. */
import type { ShardFacts } from './shard-files.js';

/** What index.json says. */
export interface IndexFacts {
  /** N */
  passages: number;
  /** Rows of all shards. */
  vectors: number;
  /** D */
  dimensions: number;
  /** M, or 'varies' where it depends on the passage. */
  vectorsPerPassage: number | 'varies';
  shards: readonly ShardFacts[];
}

/** Whether it says all that an index is read for, and of itself what its shards say. */
export function isIndexFacts(found: unknown): found is IndexFacts {
  const { shards, ...index } = (found ?? {}) as Partial<IndexFacts>;
  if (!isCounted(index) || !Array.isArray(shards) || shards.length === 0) return false;
  const those = shards as (Partial<ShardFacts> | null)[];
  if (!those.every((shard) => shard !== null && isCounted(shard) && isCount(shard.number))) return false;
  let [passages, vectors] = [0, 0];
  for (const shard of those) {
    const { dimensions, vectorsPerPassage } = index;
    if (shard!.dimensions !== dimensions || shard!.vectorsPerPassage !== vectorsPerPassage) return false;
    // Each goes on where the one before ends.
    if (shard!.firstPassage !== passages) return false;
    passages += shard!.passages!;
    vectors += shard!.vectors!;
  }
  return passages === index.passages && vectors === index.vectors;
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** What an index and a shard say alike. */
function isCounted({
  passages,
  vectors,
  dimensions,
  vectorsPerPassage: m,
}: Partial<Omit<IndexFacts, 'shards'>>): boolean {
  return [passages, vectors].every(isCount) && isCount(dimensions) && (m === 'varies' || isCount(m));
}
