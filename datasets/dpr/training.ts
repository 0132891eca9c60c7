/** biencoder-*.json as splits of a dataset: questions with the passages to train on, by the ids of the collection. */
import type { Passage, Qrel, Query } from '../../harness/contracts.js';
import { dprQuestions, negativesAmong } from '../../harness/interchange/dpr-training.js';

/** A split as its file gives it: ids alone are kept, the texts stay on the disk. */
export interface TrainingSplit {
  queries: Query[];
  qrels: Qrel[];
  negatives: Map<string, readonly string[]>;
  /** Of dev: the negatives that are not hard. */
  others: Map<string, readonly string[]>;
  /** Questions without a positive passage. */
  withoutPositive: number;
}

/**
 * Reads the whole file once. Memory grows with the questions (about 1 KB each, most of it the ids of their negatives).
 * Questions without a positive have no qrels. DPR drops them when it trains, and those of dev are left out; those of train
 * are queries all the same, since a trained model mines for them too.
 */
export async function readTraining(file: string, name: 'train' | 'dev'): Promise<TrainingSplit> {
  const split: TrainingSplit = {
    queries: [],
    qrels: [],
    negatives: new Map(),
    others: new Map(),
    withoutPositive: 0,
  };
  for await (const { question, index } of dprQuestions(file)) {
    const queryId = `${name}-${index}`;
    const positives = new Set(question.contexts('positive_ctxs').map(({ passageId }) => passageId));
    if (positives.size === 0) split.withoutPositive++;
    if (positives.size > 0 || name === 'train')
      split.queries.push({ queryId, text: question.text, answers: question.answers });
    if (positives.size === 0) continue;
    for (const passageId of positives) split.qrels.push({ queryId, passageId, relevance: 1 });
    split.negatives.set(queryId, negativesAmong(question.negatives('contexts'), positives));
    // Nothing trains on them: they are for the pool that dev is ranked in.
    if (name === 'dev')
      split.others.set(queryId, negativesAmong(question.contexts('negative_ctxs'), positives));
  }
  return split;
}

/** The texts of positives and negatives as the file has them, which are what DPR trains on; of dev, of all negatives. */
export async function* trainingPassagesOf(file: string, split: 'train' | 'dev'): AsyncGenerator<Passage> {
  for await (const { question } of dprQuestions(file)) {
    yield* question.contexts('positive_ctxs');
    yield* question.negatives('contexts');
    if (split === 'dev') yield* question.contexts('negative_ctxs');
  }
}
