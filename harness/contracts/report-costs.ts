/** Accuracy against cost, as reports show it. */

/** Systems that no other beats in accuracy and in cost. */
export interface ReportFront {
  measure: string;
  /** Column id. */
  cost: string;
  systems: readonly string[];
}

/** The best accuracy that is to be had for a cost. */
export interface ReportIsoCost {
  measure: string;
  /** How many pairs were tested and corrected together, by Holm. */
  familySize: number;
  budgets: readonly {
    /** Bytes of the index per passage, without ids; median of searching, and of all from text to hits. */
    cost: 'passage-bytes' | 'search-ms' | 'total-ms';
    /** At most. */
    limit: number;
    /** Systems and points of curves that cost no more. */
    within: number;
    /** Absent where none does. */
    best?: { name: string; accuracy: number; cost: number };
    /** Those of them that the tests do not tell from the best. */
    tied?: readonly string[];
  }[];
}
