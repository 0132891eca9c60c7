/** From a run to measures, whoever made it: answers found in texts, values per query. */

import { defaultConfig } from '../config/config.js';
import type { Dataset, Run, Split } from '../contracts.js';
import { counted } from '../counted.js';
import { qrelsById } from '../dataset/qrels.js';
import { readPassages } from '../dataset/reading.js';
import { type Evaluation, evaluate } from '../metrics/evaluate.js';
import { parseMeasures } from '../plugins/measures.js';
import { AnswersOfRun } from '../search/answer-hits.js';

export interface Measurement {
  evaluation: Evaluation;
  /** By query id, in the order of its hits, 1 where one holds an answer; absent where no measure asks for answers. */
  answerFlags?: ReadonlyMap<string, Uint8Array>;
  /** Passages of the run that the collection does not have; absent where no text was looked at. */
  unknown?: number;
  warnings: string[];
}

export interface MeasureRequest {
  dataset: Dataset;
  split: Split;
  /** Best hits first. */
  run: Run;
  /** Measure ids. */
  measures: readonly string[];
  identicalIds: 'dropped' | 'kept';
}

export async function measureStage(request: MeasureRequest): Promise<Measurement> {
  const { dataset, split, run, identicalIds } = request;
  const queries = await dataset.queries(split);
  const qrels = qrelsById(await dataset.qrels(split));
  const warnings: string[] = [...(dataset.remarks ?? [])];
  if (dataset.relevantFrom !== undefined)
    warnings.push(
      `Measures without grades take a relevance of ${dataset.relevantFrom} or more for relevant.`,
    );
  const has = { qrels: qrels.size > 0, answers: dataset.answerMatching !== undefined };
  const asked = parseMeasures(request.measures);
  // The usual measures are those of all kinds of datasets: one of them that a dataset cannot have is left out in silence.
  const isUsual = sameList(defaultConfig().measures, request.measures);
  for (const needs of isUsual ? [] : (['qrels', 'answers'] as const)) {
    const lost = asked.filter((measure) => measure.needs === needs && !has[needs]).map(({ id }) => id);
    if (lost.length === 0) continue;
    const what = `${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} left out`;
    warnings.push(`${what}: ${dataset.name} has no ${needs} for its ${split} queries.`);
  }
  const measures = asked.filter(({ needs }) => has[needs]);
  const needsAnswers = measures.some(({ needs }) => needs === 'answers');
  const found = needsAnswers ? new AnswersOfRun(dataset.answerMatching!, queries, run) : undefined;
  if (found !== undefined) await readPassages(dataset, [found]);
  if (found !== undefined && found.unusable > 0)
    warnings.push(
      `${counted(found.unusable, 'answer patterns cannot be run and match', 'answer pattern cannot be run and matches')} nothing.`,
    );
  if (found !== undefined && found.matchingAll > 0)
    warnings.push(
      `${found.matchingAll} of ${queries.length} queries have an answer that is empty or without a word: every passage holds it, as DPR counts.`,
    );
  const withoutText = found ? [...qrels.keys()].filter((id) => run.has(id) && !found.flags.has(id)) : [];
  if (withoutText.length > 0)
    warnings.push(
      `${counted(withoutText.length, `judged queries have hits, and ${dataset.name} has no text and no answers of them: they count`, `judged query has hits, and ${dataset.name} has no text and no answers of it: it counts`)} as answered by no hit ('${withoutText[0]}').`,
    );
  if (found !== undefined && dataset.tieRule !== undefined)
    throw new TypeError(`answers of ${dataset.name} are sought in the order of the search`);
  const evaluation = evaluate(run, qrels, measures, {
    ties: dataset.tieRule ?? 'as-ranked',
    // A judged query without a text cannot be searched and scores 0; it is not dropped.
    queries: [...new Set([...queries.map(({ queryId }) => queryId), ...qrels.keys()])],
    relevance: dataset.relevantFrom ?? 1,
    identicalIds,
    ...(found && {
      firstAnswerRank: new Map([
        ...firstRanks(run, found.flags, identicalIds),
        ...withoutText.map((queryId) => [queryId, undefined] as const),
      ]),
    }),
  });
  return { evaluation, warnings, ...(found && { answerFlags: found.flags, unknown: found.unread }) };
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** The rank of the first hit with an answer, counted as the evaluation counts: without hits that are dropped. */
function firstRanks(
  run: Run,
  flags: ReadonlyMap<string, Uint8Array>,
  identicalIds: 'dropped' | 'kept',
): Map<string, number | undefined> {
  const rankIn = (queryId: string, own: Uint8Array): number | undefined => {
    const { passageIds } = run.get(queryId) ?? { passageIds: [] };
    let rank = 0;
    for (const [i, passageId] of passageIds.entries()) {
      if (identicalIds === 'dropped' && passageId === queryId) continue;
      rank++;
      if (own[i] === 1) return rank;
    }
    return undefined;
  };
  return new Map([...flags].map(([queryId, own]) => [queryId, rankIn(queryId, own)]));
}
