/** What a record says of a learned sparse model and its index. */
import type { BenchConfig } from '../config/config.js';
import { counted } from '../counted.js';
import { type ImpactIndex, impactSize } from '../index/impact-index.js';
import { wikipediaPassages } from '../index/size.js';
import type { RunRecord } from '../record.js';
import type { SparseModel } from './sparse-model.js';

/** What holds, and what of it a user has set instead of the model's files. */
export function remarksOf({ facts, maxTokens, queryTable }: SparseModel, { sparse }: BenchConfig): string[] {
  const { pooling, prompts, kept } = facts;
  const set = Object.entries(sparse).filter(([, value]) => value !== null);
  const keptOf = (side: 'query' | 'passage') =>
    kept[side] === undefined ? 'all' : `the ${kept[side]} largest`;
  return [
    `as published: ${pooling.over} over tokens of ${pooling.logs === 1 ? 'log1p(relu)' : 'log1p(log1p(relu))'}, at most ${counted(maxTokens.passage, 'tokens')}${prompts.query === '' && prompts.passage === '' ? '' : `, prompts ${JSON.stringify(prompts.query)} and ${JSON.stringify(prompts.passage)}`}${queryTable === undefined ? '' : '; queries by a table of weights, without an encoder'}`,
    ...(kept.query === undefined && kept.passage === undefined
      ? []
      : [`weights kept: ${keptOf('passage')} of a passage, ${keptOf('query')} of a query`]),
    ...(set.length === 0
      ? []
      : [
          `set by the user instead of its files: ${set.map(([key, value]) => `${key} ${JSON.stringify(value)}`).join(', ')}`,
        ]),
  ];
}

/** How many weights a text has, which decides size and speed. */
export function meansText({ facts }: ImpactIndex, queries: { queries: number; weights: number }): string {
  const mean = (sum: number, of: number) => (sum / Math.max(1, of)).toFixed(1);
  return `${mean(facts.postings, facts.passages)} weights a passage of ${facts.tokens} tokens are indexed${facts.empty === 0 ? '' : `, ${counted(facts.empty, 'passages')} without any`}; ${mean(queries.weights, queries.queries)} a query come from the model`;
}

export async function indexFacts({ folder, facts }: ImpactIndex): Promise<NonNullable<RunRecord['index']>> {
  const { postings, terms, identifiers, total } = await impactSize(folder);
  return {
    kind: 'impacts',
    ...{ vectorsPerPassage: 0, rows: 0, dimensions: 0, shards: 1 },
    sizeBytes: { vectors: 0, identifiers, offsets: 0, postings, terms, total },
    projectedBytes: Math.round((postings / Math.max(1, facts.passages)) * wikipediaPassages),
    projectedPassages: wikipediaPassages,
  };
}
