/** Which vector of a passage won the maximum of equation (2): the paper's analysis of layers. */
import type { Dataset, Split } from '../contracts.js';
import { qrelsById } from '../dataset/qrels.js';
import type { Architecture } from '../model/retriever.js';
import type { DevWinnerFacts, WinnerFacts } from '../record.js';
import type { PassageHits } from '../search/search.js';
import type { NamedPassages } from './run-of-hits.js';

/** Whether a passage can have several vectors that are searched: one alone always wins. */
export function hasWinners({ pooling, resolved }: Architecture): boolean {
  return pooling === undefined && resolved.vectors !== 1;
}

export interface WinnersRequest {
  dataset: Dataset;
  split: Split;
  index: NamedPassages;
  hits: PassageHits;
  /** By query id, in the order of its hits, 1 where one holds an answer; absent where none was sought. */
  answerFlags?: ReadonlyMap<string, Uint8Array> | undefined;
  architecture: Architecture;
  identicalIds: 'dropped' | 'kept';
  dev?: DevWinnerFacts | undefined;
}

/** @returns undefined where a passage has one vector */
export async function winnersOf(request: WinnersRequest): Promise<WinnerFacts | undefined> {
  const { dataset, split, index, hits, answerFlags, architecture, identicalIds, dev } = request;
  if (!hasWinners(architecture)) return undefined;
  const { family, resolved } = architecture;
  const { depth, ordinals, winners, counts } = hits;
  const qrels = qrelsById(await dataset.qrels(split));
  const relevantFrom = dataset.relevantFrom ?? 1;
  const identifiers = await index.identifiers();
  const fewest = resolved.vectors === 'varies' ? 0 : resolved.vectors;
  const most = Math.max(fewest, dev?.qrels.length ?? 0, dev?.answers?.length ?? 0);
  const histogram: number[] = Array.from({ length: most }, () => 0);
  const topHit: (number | null)[] = [];
  const gold: (number | null)[] = [];
  const answer: (number | null)[] = [];
  for (const [q, { queryId }] of (await dataset.queries(split)).entries()) {
    let top: number | null = null;
    let relevant: number | null = null;
    let answering: number | null = null;
    const flags = answerFlags?.get(queryId);
    for (let i = 0; i < counts[q]!; i++) {
      const place = q * depth + i;
      const passageId = identifiers.at(ordinals[place]!);
      if (identicalIds === 'dropped' && passageId === queryId) continue;
      const winner = winners[place]!;
      while (histogram.length <= winner) histogram.push(0);
      histogram[winner]!++;
      top ??= winner;
      if (relevant === null && (qrels.get(queryId)?.get(passageId) ?? 0) >= relevantFrom) relevant = winner;
      if (flags?.[i] === 1) answering ??= winner;
    }
    topHit.push(top);
    gold.push(relevant);
    answer.push(answering);
  }
  const padded = (of: readonly number[]) => histogram.map((_, row) => of[row] ?? 0);
  return {
    vectors: histogram.map((_, row) => family.vectorName?.(row, resolved) ?? `vector ${row + 1}`),
    histogram,
    topHit,
    gold,
    ...(answerFlags && { answer }),
    ...(dev && {
      dev: { qrels: padded(dev.qrels), ...(dev.answers && { answers: padded(dev.answers) }) },
    }),
  };
}
