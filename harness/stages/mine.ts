/** Examples to train on again: what a trained model rightly and wrongly takes for an answer. */
import type { Dataset, Split } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { readPassages } from '../dataset/reading.js';
import { QueryVectors } from '../index/query-vectors.js';
import { openIndex } from '../index/vector-index.js';
import { negativesFile, writeNegatives } from '../interchange/negatives.js';
import { readHits } from '../pipeline/hit-files.js';
import type { NamedPassages } from '../pipeline/run-of-hits.js';
import { highestScore, type PairScores, pairScores, type ScoreMargins } from '../pipeline/score-margins.js';
import { AnswersOfHits } from '../search/answer-hits.js';
import { CopiesOfPositives } from '../search/copied-positives.js';
import type { PassageHits } from '../search/search.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { RunFacts, SearchTarget } from './search.js';

interface MineSettings {
  split: Split;
  identicalIds: 'dropped' | 'kept';
  /** Negatives kept per query, best first; null keeps all that were found. */
  negatives: number | null;
  /** How close to a positive's score a negative may come; absent: as close as it does. */
  margins?: ScoreMargins | undefined;
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
  /** Where there are margins: hits left out for their scores, and queries that have no positive whose score would set a limit. */
  tooClose?: number;
  withoutLimit?: number;
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
 * @param searched its queries and the shards that were searched; an index that is open where there are no such, and no margins
 */
export function mine(
  run: Stage<RunFacts>,
  searched: Pick<SearchTarget, 'queries' | 'shards'> | NamedPassages,
  { split, identicalIds, negatives: wanted, margins }: MineSettings,
  { dataset, code }: Known,
): Stage<MinedFacts> {
  const byVectors = 'identifiers' in searched ? undefined : searched;
  return {
    name: 'mine',
    kind: 'negatives',
    version: 'mined examples 3',
    needs: { run, ...(margins && byVectors && { queries: byVectors.queries, shards: byVectors.shards }) },
    inputs: () => ({ ...code('mine', { dataset }), split, identicalIds, wanted, ...margins }),
    about: { dataset: dataset.name },
    async make(folder, at) {
      const hits = await readHits(await at.made(run));
      const opened = byVectors && (await openIndex(await at.folderOf(byVectors.shards)));
      try {
        const asked = { split, identicalIds, negatives: wanted, margins };
        const named = opened ?? (searched as NamedPassages);
        const vectors = margins && byVectors && new QueryVectors(await at.made(byVectors.queries));
        const scores = opened && vectors && pairScores(opened, vectors, () => at.progress.checkInterrupted());
        const { facts, ...examples } = await examplesIn(at.dataset, named, hits, asked, scores);
        await writeNegatives(negativesFile(folder), examples);
        return facts;
      } finally {
        await opened?.close();
      }
    },
  };
}

/** @param scores what queries score positives that are not among their hits, where there are margins */
export async function examplesIn(
  dataset: Dataset,
  index: NamedPassages,
  hits: PassageHits,
  { split, identicalIds, negatives: wanted, margins }: MineSettings,
  scores?: PairScores,
) {
  const queries = await dataset.queries(split);
  const byQuery = await relevantPassages(dataset, split);
  const identifiers = await index.identifiers();
  const judgedRelevant = queries.map(({ queryId }) => byQuery.get(queryId) ?? []);
  const { answerMatching: mode } = dataset;
  const copies = new CopiesOfPositives(dataset, judgedRelevant, hits.ordinals, identifiers);
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
  /** Of each query: places of the hits that may be negatives, best first, and its positives. */
  const found: { places: number[]; positives: readonly string[] }[] = [];
  for (const [q, { queryId }] of queries.entries()) {
    const judged = new Set(judgedRelevant[q]);
    const places: number[] = [];
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
      else places.push(place);
    }
    const positives =
      answers === undefined ? trainedOn(judgedRelevant[q]!, dataset) : best === undefined ? [] : [best];
    found.push({ places, positives });
  }
  if (margins && scores) {
    const idOf = (place: number) => identifiers.at(hits.ordinals[place]!);
    // Where nothing is mined as a positive, the query is trained towards what is judged relevant.
    const towards = found.map(({ positives }, q) => (positives.length > 0 ? positives : judgedRelevant[q]!));
    const lowest = await lowestScores(towards, hits, idOf, scores);
    Object.assign(facts, { tooClose: 0, withoutLimit: 0 });
    for (const [q, own] of found.entries()) {
      const positive = lowest[q];
      if (positive === undefined) {
        facts.withoutLimit!++;
        continue;
      }
      const limit = highestScore(positive, margins);
      const kept = own.places.filter((place) => hits.scores[place]! <= limit);
      facts.tooClose! += own.places.length - kept.length;
      own.places = kept;
    }
  }
  const negatives = new Map<string, readonly string[]>();
  const positives = new Map<string, readonly string[]>();
  for (const [q, { queryId }] of queries.entries()) {
    const own = found[q]!;
    const kept = own.places
      .slice(0, wanted ?? own.places.length)
      .map((place) => identifiers.at(hits.ordinals[place]!));
    facts.negatives += kept.length;
    if (kept.length === 0) facts.without++;
    if (own.positives.length > 0) facts.positives++;
    negatives.set(queryId, kept);
    positives.set(queryId, own.positives);
  }
  return { facts, negatives, positives };
}

/**
 * What each query scores the worst of its positives, undefined where it has none: of those among its hits as they were
 * searched.
 */
async function lowestScores(
  positives: readonly (readonly string[])[],
  hits: PassageHits,
  idOf: (place: number) => string,
  scores: PairScores,
): Promise<(number | undefined)[]> {
  const lowest: (number | undefined)[] = positives.map(() => undefined);
  const take = (q: number, score: number) => {
    lowest[q] = Math.min(lowest[q] ?? score, score);
  };
  const elsewhere = new Map<string, number[]>();
  for (const [q, ids] of positives.entries()) {
    const left = new Set(ids);
    for (const place of placesOf(hits, q)) if (left.delete(idOf(place))) take(q, hits.scores[place]!);
    for (const id of left) {
      const asking = elsewhere.get(id);
      if (asking === undefined) elsewhere.set(id, [q]);
      else asking.push(q);
    }
  }
  await scores(elsewhere, take);
  return lowest;
}

/** What the dataset trains on of a query's relevant passages. */
function trainedOn(relevant: readonly string[], { trainsOn }: Dataset): readonly string[] {
  return trainsOn === 'each-positive' ? relevant : relevant.slice(0, 1);
}

/** Places of the hits of query q in the arrays. */
function placesOf({ depth, counts }: PassageHits, q: number): number[] {
  return Array.from({ length: counts[q]! }, (_, i) => q * depth + i);
}
