/** The records that travel between rooms. */

/** The three parts of a dataset: what trains, what chooses the checkpoint, what is reported. */
export type Split = 'train' | 'dev' | 'test';

/** A text that can be retrieved. An empty text or title is kept and encoded. */
export interface Passage {
  passageId: string;
  title: string;
  text: string;
}

/** A text that asks. `answers` are the strings of a question answering set (DPR's answer matching). */
export interface Query {
  queryId: string;
  text: string;
  answers?: readonly string[];
}

/** A judgement: `relevance` of 1 or more is relevant; 0 and below is judged and not relevant. */
export interface Qrel {
  queryId: string;
  passageId: string;
  relevance: number;
}

/** The hits of one query as parallel arrays: passage ids without repetition, in the order they were given. */
export interface Ranking {
  readonly passageIds: readonly string[];
  /** Higher is better; absent where the source gives none. */
  readonly scores?: ArrayLike<number>;
  /** Ranks that the source stated, from 1; absent where the order given is the ranking. */
  readonly ranks?: ArrayLike<number>;
  /** Places of the passages in the collection, from 0; absent where ids are all that is known. */
  readonly ordinals?: ArrayLike<number>;
}

/** A run: the ranking of each query, by query id. */
export type Run = ReadonlyMap<string, Ranking>;

/** Judgements by query id: relevance by passage id. */
export type Qrels = ReadonlyMap<string, ReadonlyMap<string, number>>;
