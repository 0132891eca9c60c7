/** Hard negatives as a stage: what a trained model takes for an answer and what is none. */
import type { Split } from '../contracts.js';
import { type Negatives, writeNegatives } from '../interchange/negatives.js';
import type { PassageHits } from '../search/search.js';
import type { Artifact } from '../store/store.js';
import { negativesFile } from './bm25-negatives.js';
import { readHits } from './hit-files.js';
import { answerHits, identicalIdsOf, qrelsById } from './measure-stage.js';
import type { Prepared } from './prepare.js';
import type { RunFacts } from './search-stage.js';

export interface MineOptions {
  split: Split;
  /** Negatives kept per query, best first; null keeps all that were found. */
  negatives: number | null;
}

/** What became of the hits. */
export interface MinedFacts {
  queries: number;
  /** Hits that became negatives. */
  negatives: number;
  /** Hits left out: judged relevant, holding an answer, having the query's own id. */
  relevant: number;
  answering: number;
  identical: number;
  /** Queries without a negative. */
  without: number;
}

/**
 * The best hits of every query that are not judged relevant and, where queries have answers, hold none of them (DPR's
 * matching, in the text and not the title). The file lies in the artifact's folder, see `negativesFile`.
 * @param run of that split, by the index given
 */
export async function mineStage(
  { config, store, dataset }: Prepared,
  index: { identifiers(): Promise<{ at(ordinal: number): string }> },
  run: Artifact<RunFacts>,
  { split, negatives: wanted }: MineOptions,
): Promise<Artifact<MinedFacts>> {
  const identicalIds = identicalIdsOf(config, dataset);
  const inputs = { made: 'mined negatives 1', run: run.key, split, identicalIds, wanted };
  return store.artifact('negatives', inputs, async (folder) => {
    const hits = await readHits(run);
    const queries = await dataset.queries(split);
    const qrels = qrelsById(await dataset.qrels(split));
    const identifiers = await index.identifiers();
    const answers = dataset.answerMatching && (await answerHits(dataset, queries, hits)).flags;
    const facts: MinedFacts = {
      queries: queries.length,
      negatives: 0,
      relevant: 0,
      answering: 0,
      identical: 0,
      without: 0,
    };
    const mined = new Map<string, readonly string[]>();
    for (const [q, { queryId }] of queries.entries()) {
      const judged = qrels.get(queryId);
      const kept: string[] = [];
      for (const place of placesOf(hits, q)) {
        if (wanted !== null && kept.length === wanted) break;
        const passageId = identifiers.at(hits.ordinals[place]!);
        if ((judged?.get(passageId) ?? 0) >= 1) facts.relevant++;
        else if (answers?.[place] === 1) facts.answering++;
        else if (identicalIds === 'dropped' && passageId === queryId) facts.identical++;
        else kept.push(passageId);
      }
      facts.negatives += kept.length;
      if (kept.length === 0) facts.without++;
      mined.set(queryId, kept);
    }
    await writeNegatives(negativesFile(folder), mined satisfies Negatives);
    return facts;
  });
}

/** Where the hits of query q stand in the arrays. */
function placesOf({ depth, counts }: PassageHits, q: number): number[] {
  return Array.from({ length: counts[q]! }, (_, i) => q * depth + i);
}
