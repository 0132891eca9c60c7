/** What a run record says of its stages, and of what they left in the cache. */
import type { Code } from '../program/code.js';
import type { Program } from '../program/git.js';

export interface StageFacts {
  readonly name: string;
  /** Of the artifact in the cache; null for a stage that leaves none. */
  readonly key: string | null;
  /** Which code its result came of. */
  readonly code?: Code;
  readonly execution: {
    /** Whether it was found made. */
    readonly cached: boolean;
    /** Of this time; where cached, of finding it. */
    readonly seconds: number;
    /** Resident memory of the process at its highest. */
    readonly peakMemoryBytes?: number;
    /** When the artifact was made, and by which version of this program. */
    readonly made?: MakingFacts;
    /** Other artifacts that it asked for: a vocabulary, an index that negatives were found in. */
    readonly uses?: readonly UsedFacts[];
  };
}

export interface MakingFacts extends Program {
  /** ISO 8601, UTC */
  readonly madeAt: string;
  /** How long it was in the making, on what. */
  readonly took?: {
    /** Null, with the reason, where one process did not make all of it. */
    readonly seconds: number | null;
    readonly reason?: string;
    readonly cpu: string;
    readonly threads: number;
  };
}

export interface UsedFacts {
  /** Folder of the cache: `models`, `negatives`. */
  readonly kind: string;
  readonly key: string;
  readonly code?: Code;
  readonly made?: MakingFacts;
}
