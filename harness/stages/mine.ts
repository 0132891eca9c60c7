/** Examples to train on again: what a trained model rightly and wrongly takes for an answer. */
import type { Dataset, Split } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { readPassages } from '../dataset/reading.js';
import { openIndex } from '../index/vector-index.js';
import { writeNegatives } from '../interchange/negatives.js';
import { readHits } from '../pipeline/hit-files.js';
import { negativesFile } from '../pipeline/negatives-file.js';
import type { NamedPassages } from '../pipeline/run-of-hits.js';
import { AnswersOfHits } from '../search/answer-hits.js';
import { CopiesOfPositives } from '../search/copied-positives.js';
import type { PassageHits } from '../search/search.js';
import type { Need, Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts } from './search.js';

interface MineAsked {
  split: Split;
  identicalIds: 'dropped' | 'kept';
  /** Negatives kept per query, best first; null keeps all that were found. */
  negatives: number | null;
}

/** What became of the hits. */
export interface MinedFacts {
  queries: number;
  /** Hits that became negatives. */
  negatives: number;
  /** Hits left out: judged relevant, such a passage word for word, holding an answer, having the query's own id. */
  relevant: number;
  copies: number;
  answering: number;
  identical: number;
  /** Queries without a negative. */
  without: number;
  /** Queries with a positive, each of which is an example. */
  positives: number;
}

/**
 * An example of every query of the split, also of those that none of the original examples is of.
 *
 * Its negatives: the best hits that are not judged relevant, no copy of what is, and, where queries have answers, hold none
 * of them (DPR's matching, in the text and not the title). Its positive: where queries have answers, the best hit that holds
 * one, as in the paper's code, where relevance is known by answers alone; else what is judged relevant, found or not, as the
 * dataset trains on it (`trainsOn`). A query may have no positive, or no negative. The file lies in the artifact's folder,
 * see `negativesFile`.
 * @param run of that split
 * @param searched the shards, or an index that is open
 */
export function mine(
  run: Stage<RunFacts>,
  searched: Need | NamedPassages,
  { split, identicalIds, negatives: wanted }: MineAsked,
  { dataset, code }: Known,
): Stage<MinedFacts> {
  return {
    name: 'mine',
    kind: 'negatives',
    version: 'mined examples 3',
    needs: { run },
    inputs: () => ({ ...code('mine', { dataset }), split, identicalIds, wanted }),
    about: { dataset: dataset.name },
    async make(folder, at) {
      const hits = await readHits(await at.made(run));
      const opened = 'identifiers' in searched ? undefined : await openIndex(await at.folderOf(searched));
      try {
        const asked = { split, identicalIds, negatives: wanted };
        const named = opened ?? (searched as NamedPassages);
        const { facts, ...examples } = await examplesIn(at.dataset, named, hits, asked);
        await writeNegatives(negativesFile(folder), examples);
        return facts;
      } finally {
        await opened?.close();
      }
    },
  };
}

export async function examplesIn(
  dataset: Dataset,
  index: NamedPassages,
  hits: PassageHits,
  { split, identicalIds, negatives: wanted }: MineAsked,
) {
  const queries = await dataset.queries(split);
  const byQuery = await relevantPassages(dataset, split);
  const identifiers = await index.identifiers();
  const judgedRelevant = queries.map(({ queryId }) => byQuery.get(queryId) ?? []);
  const { answerMatching: mode } = dataset;
  const copies = new CopiesOfPositives(dataset, judgedRelevant, hits.ordinals);
  const reader = mode && new AnswersOfHits(mode, queries, hits);
  await readPassages(dataset, [copies, ...(reader ? [reader] : [])]);
  const answers = reader?.flags;
  const facts: MinedFacts = {
    queries: queries.length,
    negatives: 0,
    relevant: 0,
    copies: 0,
    answering: 0,
    identical: 0,
    without: 0,
    positives: 0,
  };
  const negatives = new Map<string, readonly string[]>();
  const positives = new Map<string, readonly string[]>();
  for (const [q, { queryId }] of queries.entries()) {
    const judged = new Set(judgedRelevant[q]);
    const kept: string[] = [];
    let best: string | undefined;
    for (const place of placesOf(hits, q)) {
      const passageId = identifiers.at(hits.ordinals[place]!);
      if (identicalIds === 'dropped' && passageId === queryId) {
        facts.identical++;
        continue;
      }
      if (answers?.[place] === 1) best ??= passageId;
      if (judged.has(passageId)) facts.relevant++;
      else if (copies.has(q, hits.ordinals[place]!)) facts.copies++;
      else if (answers?.[place] === 1) facts.answering++;
      else if (wanted === null || kept.length < wanted) kept.push(passageId);
    }
    const relevant =
      answers === undefined ? trainedOn(judgedRelevant[q]!, dataset) : best === undefined ? [] : [best];
    facts.negatives += kept.length;
    if (kept.length === 0) facts.without++;
    if (relevant.length > 0) facts.positives++;
    negatives.set(queryId, kept);
    positives.set(queryId, relevant);
  }
  return { facts, negatives, positives };
}

/** What the dataset trains on of a query's relevant passages. */
function trainedOn(relevant: readonly string[], { trainsOn }: Dataset): readonly string[] {
  return trainsOn === 'each-positive' ? relevant : relevant.slice(0, 1);
}

/** Places of the hits of query q in the arrays. */
function placesOf({ depth, counts }: PassageHits, q: number): number[] {
  return Array.from({ length: counts[q]! }, (_, i) => q * depth + i);
}
