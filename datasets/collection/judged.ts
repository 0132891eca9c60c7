/** Queries and qrels of the splits, checked against each other and against the collection. */

import type { Qrel, Qrels, Query, Split } from '../../harness/contracts.js';
import { counted } from '../../harness/counted.js';

export const splits: readonly Split[] = ['train', 'dev', 'test'];

/** What a split's files hold. */
export interface SplitFiles {
  /** Undefined where the dataset has none for the split. */
  qrels: Qrels | undefined;
  /** Every query that may belong to it, by id. */
  queries: ReadonlyMap<string, Query>;
}

export interface JudgedSplit {
  queries: readonly Query[];
  qrels: readonly Qrel[];
}

export interface Judged {
  splits: Readonly<Record<Split, JudgedSplit>>;
  remarks: string[];
}

/** Every passage id that any of the qrels names. */
export function judgedPassages(files: Readonly<Record<Split, SplitFiles>>): Set<string> {
  const ids = new Set<string>();
  for (const split of splits) {
    for (const judgements of files[split].qrels?.values() ?? [])
      for (const id of judgements.keys()) ids.add(id);
  }
  return ids;
}

/**
 * A split's queries are those that its qrels judge, in the order of the queries' file. Qrels of a passage or a query that is
 * not there stay in the test split, where they are relevant passages that nothing can find, as for trec_eval; nothing can be
 * trained on them, so the other splits leave them out. Either way they are counted in the remarks.
 * @param absent judged passages that the collection does not have
 * @param testFile what the qrels of the test split are called, for the remark where there are none
 */
export function judgedSplits(
  files: Readonly<Record<Split, SplitFiles>>,
  absent: ReadonlySet<string>,
  testFile?: string,
): Judged {
  const remarks: string[] = [];
  const made = {} as Record<Split, JudgedSplit>;
  for (const split of splits) {
    const { qrels, queries } = files[split];
    if (qrels === undefined) {
      made[split] = { queries: split === 'test' ? [...queries.values()] : [], qrels: [] };
      continue;
    }
    const keepsAll = split === 'test';
    const kept: Qrel[] = [];
    const trainable = new Set<string>();
    let withoutPassage = 0;
    let withoutQuery = 0;
    for (const [queryId, judgements] of qrels) {
      const isKnown = queries.has(queryId);
      if (!isKnown) withoutQuery++;
      for (const [passageId, relevance] of judgements) {
        const isAbsent = absent.has(passageId);
        if (isAbsent) withoutPassage++;
        if (!keepsAll && (isAbsent || !isKnown)) continue;
        kept.push({ queryId, passageId, relevance });
        if (relevance > 0) trainable.add(queryId);
      }
    }
    const [many, one] = keepsAll
      ? ['they count as relevant and cannot be found', 'it counts as relevant and cannot be found']
      : ['they are left out', 'it is left out'];
    if (withoutPassage > 0) {
      remarks.push(
        `${counted(withoutPassage, `${split} qrels name passages`, `${split} qrel names a passage`)} that the collection does not have; ${withoutPassage === 1 ? one : many}.`,
      );
    }
    if (withoutQuery > 0) {
      remarks.push(
        `${counted(withoutQuery, `queries of the ${split} qrels have no text; they ${keepsAll ? 'score 0' : 'are left out'}`, `query of the ${split} qrels has no text; it ${keepsAll ? 'scores 0' : 'is left out'}`)}.`,
      );
    }
    const withoutPositive = qrels.size - trainable.size;
    if (keepsAll && withoutPositive > 0) {
      remarks.push(
        `${counted(withoutPositive, 'test queries have no relevant passage in the qrels and score', 'test query has no relevant passage in the qrels and scores')} 0.`,
      );
    }
    const chosen = [...queries.values()].filter(({ queryId }) =>
      // A query without a positive cannot train, and would make no difference to a test's mean but a 0.
      keepsAll ? qrels.has(queryId) : trainable.has(queryId),
    );
    const chosenIds = new Set(chosen.map(({ queryId }) => queryId));
    made[split] = {
      queries: chosen,
      qrels: keepsAll ? kept : kept.filter(({ queryId }) => chosenIds.has(queryId)),
    };
  }
  if (files.test.qrels === undefined) {
    const missing = testFile === undefined ? '' : ` (no ${testFile})`;
    remarks.push(
      `There are no qrels for the test queries${missing}: the collection can be searched, and no measure of qrels can be taken.`,
    );
  }
  return { splits: made, remarks };
}
