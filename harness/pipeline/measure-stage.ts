/** From hits to measures: passage ids, answers found in texts, values per query. */
import { defaultConfig } from '../config/config.js';
import type { Dataset, Query, Run, Split } from '../contracts.js';
import { type Evaluation, evaluate } from '../metrics/evaluate.js';
import { parseMeasures } from '../plugins/measures.js';
import type { PassageHits } from '../search/search.js';
import { answerHits, qrelsById } from './judgements.js';

export interface Measured {
  run: Run;
  evaluation: Evaluation;
  /** [Q, depth], 1 where a hit holds an answer; absent where no measure asks for answers. */
  answerFlags?: Uint8Array;
  warnings: string[];
}

export interface MeasureRequest {
  dataset: Dataset;
  split: Split;
  /** Gives the passage ids by ordinal. */
  index: { identifiers(): Promise<{ at(ordinal: number): string }> };
  hits: PassageHits;
  /** Measure ids. */
  measures: readonly string[];
  identicalIds: 'dropped' | 'kept';
}

export async function measureStage(request: MeasureRequest): Promise<Measured> {
  const { dataset, split, index, hits, identicalIds } = request;
  const queries = await dataset.queries(split);
  const run = await runOf(queries, index, hits);
  const qrels = qrelsById(await dataset.qrels(split));
  const warnings: string[] = [...(dataset.remarks ?? [])];
  if (dataset.relevantFrom !== undefined)
    warnings.push(
      `Measures without grades take a relevance of ${dataset.relevantFrom} or more for relevant.`,
    );
  const has = { qrels: qrels.size > 0, answers: dataset.answerMatching !== undefined };
  const asked = parseMeasures(request.measures);
  // What nobody asked for by name is not missed: the usual measures are those of all kinds of datasets.
  const isUsual = sameList(defaultConfig().measures, request.measures);
  for (const needs of isUsual ? [] : (['qrels', 'answers'] as const)) {
    const lost = asked.filter((measure) => measure.needs === needs && !has[needs]).map(({ id }) => id);
    if (lost.length === 0) continue;
    const what = `${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} left out`;
    warnings.push(`${what}: ${dataset.name} has no ${needs} for its ${split} queries.`);
  }
  const measures = asked.filter(({ needs }) => has[needs]);
  const needsAnswers = measures.some(({ needs }) => needs === 'answers');
  const found = needsAnswers ? await answerHits(dataset, queries, hits) : undefined;
  if (found !== undefined && found.unusable > 0)
    warnings.push(`${found.unusable} answer patterns cannot be run and match nothing.`);
  if (found !== undefined && found.matchingAll > 0)
    warnings.push(
      `${found.matchingAll} of ${queries.length} queries have an answer that is empty or without a word: every passage holds it, as DPR counts.`,
    );
  if (found !== undefined && dataset.tieRule !== undefined)
    throw new TypeError(`answers of ${dataset.name} are sought in the order of the search`);
  const evaluation = evaluate(run, qrels, measures, {
    ties: dataset.tieRule ?? 'as-ranked',
    // A judged query without a text cannot be searched and scores 0; it is not dropped.
    queries: [...new Set([...queries.map(({ queryId }) => queryId), ...qrels.keys()])],
    relevance: dataset.relevantFrom ?? 1,
    identicalIds,
    ...(found && { firstAnswerRank: firstRanks(queries, run, hits, found.flags, identicalIds) }),
  });
  return { run, evaluation, warnings, ...(found && { answerFlags: found.flags }) };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** The hits of all queries as a run. @param index gives the passage ids by ordinal */
export async function runOf(
  queries: readonly Query[],
  index: MeasureRequest['index'],
  hits: PassageHits,
): Promise<Run> {
  const identifiers = await index.identifiers();
  return new Map(
    queries.map(({ queryId }, q) => {
      const from = q * hits.depth;
      const count = hits.counts[q]!;
      const passageIds = Array.from(hits.ordinals.subarray(from, from + count), (ordinal) =>
        identifiers.at(ordinal),
      );
      return [queryId, { passageIds, scores: hits.scores.slice(from, from + count) }];
    }),
  );
}

/** The rank of the first hit with an answer, counted as the evaluation counts: without hits that are dropped. */
function firstRanks(
  queries: readonly Query[],
  run: Run,
  { depth, counts }: PassageHits,
  flags: Uint8Array,
  identicalIds: 'dropped' | 'kept',
): Map<string, number | undefined> {
  return new Map(
    queries.map(({ queryId }, q) => {
      const { passageIds } = run.get(queryId)!;
      let rank = 0;
      for (let i = 0; i < counts[q]!; i++) {
        if (identicalIds === 'dropped' && passageIds[i] === queryId) continue;
        rank++;
        if (flags[q * depth + i] === 1) return [queryId, rank];
      }
      return [queryId, undefined];
    }),
  );
}
