/**
 * Which vector of a passage wins on the gold passages of dev: "the last layer is always selected" (section 4.2.2 of the
 * paper, `vec_dist` in its code). Nothing is searched and no passage is encoded: their vectors are read from the index.
 */

import { closing } from '../closing.js';
import type { Dataset, Query } from '../contracts.js';
import { relevantPassages } from '../dataset/qrels.js';
import { QueryVectors } from '../index/query-vectors.js';
import { openIndex, type VectorIndex } from '../index/vector-index.js';
import { rowsOf, type Winner, winnerOf } from '../pipeline/passage-rows.js';
import type { Progress } from '../progress.js';
import type { DevWinnerFacts } from '../record.js';
import { AnswerMatcher, PassageText } from '../text/answers.js';
import type { Stage } from './graph.js';
import type { Known } from './known.js';
import type { SearchTarget } from './search.js';

/** Dev queries with a relevant passage, and its id, or theirs. */
interface JudgedQueries {
  queries: readonly Query[];
  /** The ids of the relevant passages of each query. */
  relevant: readonly (readonly string[])[];
}

async function judgedDevQueries(dataset: Dataset): Promise<JudgedQueries> {
  const byQuery = await relevantPassages(dataset, 'dev');
  const queries = (await dataset.queries('dev')).filter(({ queryId }) => byQuery.has(queryId));
  return { queries, relevant: queries.map(({ queryId }) => byQuery.get(queryId)!) };
}

/** Their queries, as those that are encoded. */
export const judged = {
  name: 'judged',
  of: async (dataset: Dataset) => (await judgedDevQueries(dataset)).queries,
};

/** @param queries the judged ones of dev */
export function devWinners(
  { system, queries, shards }: Pick<SearchTarget, 'system' | 'queries' | 'shards'>,
  { dataset, code }: Known,
): Stage<DevWinnerFacts> {
  return {
    name: 'dev winners',
    kind: 'runs',
    version: 'dev winners 3',
    needs: { queries, shards },
    inputs: () => code('dev winners', { dataset }),
    about: { dataset: dataset.name, system },
    async make(_folder, at) {
      const vectors = new QueryVectors(await at.made(queries));
      return closing(await openIndex(await at.folderOf(shards)), async (index) => {
        const judgedQueries = await judgedDevQueries(at.dataset);
        return await winnersOn(at.dataset, index, judgedQueries, vectors, at.progress);
      });
    },
  };
}

/** A dev query and one of its relevant passages. */
interface GoldPair {
  /** Place among the queries. */
  query: number;
  /** Whether the passage is the query's positive: the first that is judged relevant, which validation asks for too. */
  isPositive: boolean;
  /** Whether the passage is judged relevant and holds an answer of the query. */
  isAnswer: boolean;
}

async function winnersOn(
  dataset: Dataset,
  index: VectorIndex,
  { queries, relevant }: JudgedQueries,
  vectors: QueryVectors,
  progress: Progress,
): Promise<DevWinnerFacts> {
  const answering = await answeringPassages(dataset, queries, relevant);
  const byPassage = new Map<string, GoldPair[]>();
  for (const [q, ids] of relevant.entries()) {
    for (const [place, passageId] of ids.entries()) {
      const pair = { query: q, isPositive: place === 0, isAnswer: answering?.[q]?.has(passageId) ?? false };
      if (!pair.isPositive && !pair.isAnswer) continue;
      byPassage.set(passageId, [...(byPassage.get(passageId) ?? []), pair]);
    }
  }
  const positive: Winner[] = [];
  const answer: Winner[] = [];
  const identifiers = await index.identifiers();
  for (let ordinal = 0; ordinal < index.passages && byPassage.size > 0; ordinal++) {
    const passageId = identifiers.at(ordinal);
    const pairs = byPassage.get(passageId);
    if (pairs === undefined) continue;
    byPassage.delete(passageId);
    const rows = await rowsOf(index, ordinal);
    for (const { query, isPositive, isAnswer } of pairs) {
      const winner = winnerOf(await vectors.read(query, 1), rows);
      if (winner === undefined) continue;
      if (isPositive) positive[query] = winner;
      if (isAnswer && !(answer[query] && answer[query].score >= winner.score)) answer[query] = winner;
    }
    progress.checkInterrupted();
  }
  return { qrels: histogramOf(positive), ...(answering && { answers: histogramOf(answer) }) };
}

/**
 * The relevant passages of each query that hold an answer, by DPR's matching; undefined where queries have no answers.
 * @param relevant the ids of the relevant passages of each query
 */
async function answeringPassages(
  dataset: Dataset,
  queries: readonly Query[],
  relevant: JudgedQueries['relevant'],
): Promise<Set<string>[] | undefined> {
  const { answerMatching: mode } = dataset;
  if (mode === undefined || queries.every(({ answers }) => answers === undefined)) return undefined;
  const matchers = queries.map(({ answers = [] }) => new AnswerMatcher(answers, mode));
  const asking = new Map<string, number[]>();
  for (const [q, ids] of relevant.entries()) {
    for (const id of ids) asking.set(id, [...(asking.get(id) ?? []), q]);
  }
  const found = queries.map(() => new Set<string>());
  // Texts that come with the queries are read first: the collection may be a thousand times as large.
  for (const read of [() => dataset.trainingPassages?.('dev'), () => dataset.passages()]) {
    if (asking.size === 0) break;
    for await (const { passageId, text } of read() ?? []) {
      const prepared = new PassageText(text);
      for (const q of asking.get(passageId) ?? [])
        if (matchers[q]!.matches(prepared)) found[q]!.add(passageId);
      asking.delete(passageId);
      if (asking.size === 0) break;
    }
  }
  return found;
}

/** How often each vector won. @param winners by query, with gaps */
function histogramOf(winners: readonly (Winner | undefined)[]): number[] {
  const counts: number[] = [];
  for (const winner of winners) {
    if (winner === undefined) continue;
    while (counts.length <= winner.vector) counts.push(0);
    counts[winner.vector]!++;
  }
  return counts;
}
