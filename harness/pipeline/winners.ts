/** Which vector of a passage won the maximum of equation (2): the paper's analysis of layers. */
import type { Dataset, Split } from '../contracts.js';
import type { Architecture } from '../model/retriever.js';
import type { WinnerFacts } from '../record.js';
import type { PassageHits } from '../search/search.js';
import { qrelsById } from './measure-stage.js';

/**
 * @param index gives the passage ids by ordinal
 * @returns undefined where a passage has one vector, which always wins
 */
export async function winnersOf(
  dataset: Dataset,
  split: Split,
  index: { identifiers(): Promise<{ at(ordinal: number): string }> },
  hits: PassageHits,
  { family, pooling, resolved }: Architecture,
  identicalIds: 'dropped' | 'kept',
): Promise<WinnerFacts | undefined> {
  if (pooling !== undefined || resolved.vectors === 1) return undefined;
  const { depth, ordinals, winners, counts } = hits;
  const qrels = qrelsById(await dataset.qrels(split));
  const relevantFrom = dataset.relevantFrom ?? 1;
  const identifiers = await index.identifiers();
  const histogram: number[] = Array.from(
    { length: resolved.vectors === 'varies' ? 0 : resolved.vectors },
    () => 0,
  );
  const topHit: (number | null)[] = [];
  const gold: (number | null)[] = [];
  for (const [q, { queryId }] of (await dataset.queries(split)).entries()) {
    let top: number | null = null;
    let relevant: number | null = null;
    for (let place = q * depth; place < q * depth + counts[q]!; place++) {
      const passageId = identifiers.at(ordinals[place]!);
      if (identicalIds === 'dropped' && passageId === queryId) continue;
      const winner = winners[place]!;
      while (histogram.length <= winner) histogram.push(0);
      histogram[winner]!++;
      top ??= winner;
      if (relevant === null && (qrels.get(queryId)?.get(passageId) ?? 0) >= relevantFrom) relevant = winner;
    }
    topHit.push(top);
    gold.push(relevant);
  }
  const vectors = histogram.map((_, row) => family.vectorName?.(row, resolved) ?? `vector ${row + 1}`);
  return { vectors, histogram, topHit, gold };
}
