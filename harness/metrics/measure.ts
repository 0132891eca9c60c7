/** What a measure is and what it sees of a query. */

/** One query with its ranking, judged: all that a measure may look at. Position i holds rank i + 1. */
export interface JudgedQuery {
  /** Hits that count, after the cut at the evaluation's depth. */
  readonly hitCount: number;
  /** Relevance by rank as judged, [hitCount]; 0 where unjudged or negative. */
  readonly gains: Float64Array;
  /** By rank, [hitCount]: 1 where the relevance reaches the threshold. */
  readonly relevant: Uint8Array;
  /** By rank, [hitCount]: 1 where somebody judged the passage, at 0 or above. */
  readonly judged: Uint8Array;
  /** Judged passages whose relevance reaches the threshold, found or not. */
  readonly relevantCount: number;
  /** Judged passages of 0 up to the threshold, found or not. */
  readonly notRelevantCount: number;
  /** Every positive relevance judged for the query, descending. */
  readonly idealGains: Float64Array;
  /** Rank of the first hit that holds an answer; undefined where none does. */
  readonly firstAnswerRank: number | undefined;
}

/** One measure at one cut-off. */
export interface Measure {
  /** `ndcg@10` */
  readonly id: string;
  /** What stands before the `@`. */
  readonly family: string;
  readonly description: string;
  readonly higherIsBetter: boolean;
  readonly unit: MeasureUnit;
  /** What must be known of a query: its qrels, or where its answers were found. */
  readonly needs: 'qrels' | 'answers';
  /** k of `@k`: hits below this rank are not looked at; undefined where all are. */
  readonly cut: number | undefined;
  /** The value of one query. */
  score(query: JudgedQuery): number;
}

/** In what a measure counts: a `share`, between 0 and 1, is shown in percent. */
export type MeasureUnit = 'share' | 'count';

/** `harness/metrics/measures/NAME.ts` exports one of these by default: a measure and all its cut-offs, `NAME@k`. */
export interface MeasureFamily {
  /** One line, at cut-off k where there is one. */
  describe(k: string | undefined): string;
  readonly needs: 'qrels' | 'answers';
  /** Whether `@k` must be there or may be. */
  readonly cut: 'required' | 'optional';
  readonly higherIsBetter: boolean;
  readonly unit: MeasureUnit;
  /**
   * Values worked out on paper, by id, which a test holds it to. The ranking: a passage that is not judged, one of relevance
   * 1, one of 0, one of 3, one of 1; a fifth, of relevance 2, is not found. The first answer stands in the third hit.
   */
  readonly byHand: Readonly<Record<string, number>>;
  /** What papers and other tools call it, in small letters: `rr` of `RR@10`. */
  readonly fieldNames?: readonly string[];
  /** Names that may mean something else elsewhere: it is suggested for them, and not taken. */
  readonly suggestedFor?: readonly string[];
  /** The name of the same measure in trec_eval, where it has one: `P` of `P_10`. */
  readonly trecName?: { readonly whole?: string; readonly cut?: string };
  /** @param cut ranks to look at, Infinity for all */
  score(query: JudgedQuery, cut: number): number;
}

/** Number of relevant hits among the first `cut`. */
export function relevantAmong({ relevant, hitCount }: JudgedQuery, cut: number): number {
  const end = Math.min(hitCount, cut);
  let count = 0;
  for (let i = 0; i < end; i++) count += relevant[i]!;
  return count;
}
