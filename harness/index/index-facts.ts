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

/** Shards that lie side by side, from 0: the last of them is the one before `end`. */
export interface ShardSpan {
  readonly first: number;
  readonly end: number;
}

/** The index that some of the shards would be by themselves: its passages are counted from their first. */
export function factsOfSpan(facts: IndexFacts, { first, end }: ShardSpan): IndexFacts {
  const chosen = facts.shards.slice(first, end);
  if (first < 0 || chosen.length === 0 || chosen.length !== end - first)
    throw new RangeError(`shards ${first} to ${end} of ${facts.shards.length}`);
  const { firstPassage } = chosen[0]!;
  const shards = chosen.map((shard) => ({ ...shard, firstPassage: shard.firstPassage - firstPassage }));
  const sum = (of: 'passages' | 'vectors') => shards.reduce((total, shard) => total + shard[of], 0);
  return { ...facts, passages: sum('passages'), vectors: sum('vectors'), shards };
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
