/** The beginning of a dataset, small enough to be worked on for a second, and how large the whole is. */

import type { Dataset, Passage, Query, Split } from '../../contracts.js';
import { relevantPassages } from '../../dataset/qrels.js';
import { type ExampleSizes, trainingSizes } from '../example-sizes.js';

export interface WholeSizes extends ExampleSizes {
  passages: number;
  /** Passages that get vectors; more than are searched where a larger collection shares them. */
  encoded: number;
  devExamples: number;
  /** By split. */
  queries: Record<Split, number>;
}

/** What is measured on, beside what is to be done. */
export interface PartOfDataset {
  dataset: Dataset;
  passages: readonly Passage[];
  whole: WholeSizes;
}

/** Enough for the lengths of texts, and for a vocabulary, to be those of the collection. */
const partPassages = 2000;
const partQueries = 200;

/** Its first passages, and as many queries of each split. @param asked of the whole, with passages that are added */
export async function partOf(
  dataset: Dataset,
  asked = { searched: dataset.passageCount, encoded: dataset.passageCount },
): Promise<PartOfDataset> {
  const passages: Passage[] = [];
  for await (const passage of dataset.passages()) {
    if (passages.push(passage) === partPassages) break;
  }
  const splits = ['train', 'dev', 'test'] as const;
  const all = Object.fromEntries(
    await Promise.all(splits.map(async (split) => [split, await dataset.queries(split)] as const)),
  ) as Record<Split, readonly Query[]>;
  const ids = new Set(passages.map(({ passageId }) => passageId));
  return {
    passages,
    dataset: {
      ...dataset,
      passageCount: passages.length,
      async *passages() {
        yield* passages;
      },
      queries: async (split) => all[split].slice(0, partQueries),
      // Relevant passages elsewhere in the collection cannot be looked up here.
      qrels: async (split) => (await dataset.qrels(split)).filter(({ passageId }) => ids.has(passageId)),
    },
    whole: {
      ...(await trainingSizes(dataset)),
      passages: asked.searched,
      encoded: asked.encoded,
      devExamples: (await relevantPassages(dataset, 'dev')).size,
      queries: { train: all.train.length, dev: all.dev.length, test: all.test.length },
    },
  };
}
