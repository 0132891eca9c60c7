/** The sets of examples that a training goes through, one after another: whose queries, which positives, which negatives. */
import type { Dataset, Passage, Query, Split } from '../contracts.js';

/** What one origin brings to a training: negatives for the dataset's own examples, or a whole set of further examples. */
export interface NegativeSource {
  /** For errors: a file's name, or `the negatives of squad`. */
  name: string;
  /** Passage ids by query id, best first. */
  negatives: ReadonlyMap<string, readonly string[]>;
  /** Hits that its mining left out because they are a positive word for word. */
  copies?: number;
  /** Of a set of further examples: what each query trains on with these negatives, an example for each. */
  positives?: ReadonlyMap<string, readonly string[]>;
  /** Queries and texts that come with it; absent where they are the dataset's. */
  own?: { queries: readonly Query[]; passages(): AsyncIterable<Passage> };
}

/** Examples of one kind: the dataset's own, or those that a file adds. */
export interface ExampleSet {
  queries: readonly Query[];
  /** Passage ids by query id: what it has examples of. */
  positives: ReadonlyMap<string, readonly string[]>;
  /** Whether each of them is an example; else the first. */
  each: boolean;
  sources: readonly NegativeSource[];
  /** Whether it stands behind the dataset's own examples. */
  isAdded: boolean;
  /** Whether its queries are other than the dataset's, with ids of their own. */
  hasOwnQueries: boolean;
}

/**
 * The dataset's own examples, with the negatives of all sources that bring nothing else, and behind them those of every
 * source that is a set of its own, as a list of files is trained on in DPR. Where only sets are named there are no others.
 * @param relevant passage ids by query id
 */
export async function exampleSets(
  dataset: Dataset,
  split: Split,
  relevant: ReadonlyMap<string, readonly string[]>,
  sources: readonly NegativeSource[],
): Promise<ExampleSet[]> {
  const queries = await dataset.queries(split);
  const plain = sources.filter(({ positives }) => positives === undefined);
  const own: ExampleSet = {
    queries,
    positives: relevant,
    each: split === 'train' && dataset.trainsOn === 'each-positive',
    sources: plain,
    isAdded: false,
    hasOwnQueries: false,
  };
  const added = sources.flatMap((source): ExampleSet[] =>
    source.positives === undefined
      ? []
      : [
          {
            queries: source.own?.queries ?? queries,
            positives: source.positives,
            each: true,
            sources: [source],
            isAdded: true,
            hasOwnQueries: source.own !== undefined,
          },
        ],
  );
  return plain.length > 0 || added.length === 0 ? [own, ...added] : added;
}
