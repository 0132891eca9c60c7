/** What the process that answers is told and says, and how long it takes. */
import type { Query } from '../contracts.js';
import type { AnsweringFacts } from '../record.js';
import type { Opening } from './cell.js';

/** What it is told. */
export interface AnsweringOrder {
  readonly opening: Opening;
  /** One or more. */
  readonly queries: readonly Query[];
  /** Of the engine; null where there is none. */
  readonly device: string | null;
  /** Whether every search reads the whole index: then one query is all that is answered. */
  readonly rereads: boolean;
}

/** What it says. */
export type AnsweringMessage =
  | { readonly state: 'measured'; readonly facts: AnsweringFacts }
  | { readonly state: 'failed'; readonly message: string };

/** Until programs are compiled and what they need is read. */
export const warmUpSeconds = 0.6;
/** A counter of energy moves every millisecond, the clock of processor time every four. */
export const measuredSeconds = 0.5;

/** About what a process takes until a small system is open in it. */
export const startSeconds = 0.9;
