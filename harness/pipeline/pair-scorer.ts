/** Scores the passages of hits by a cross-encoder, each together with its query, and puts them in the order of their scores. */
import type { BenchConfig } from '../config/config.js';
import type { Query } from '../contracts.js';
import { BenchError } from '../errors.js';
import type { PassageTexts } from '../index/passage-texts.js';
import type { ScoreActivation } from '../model/cross-files.js';
import { VectorEncoder } from '../model/vector-encoder.js';
import { inNewOrder, type RerankCut } from '../search/rerank.js';
import type { PassageHits } from '../search/search.js';
import type { Engine } from '../tensor/engine.js';
import type { PairTokens } from '../text/tokenizer.js';
import type { OpenCross } from './published-cross.js';

/** Pairs whose order by length makes batches together, a query's at least: what one waits for before a run can be stopped. */
const groupPairs = 1024;

/** Queries whose pairs are scored together, of so many pairs each. */
export const groupQueries = (pairsEach: number): number =>
  Math.max(1, Math.floor(groupPairs / Math.max(1, pairsEach)));

/** What is told of a logit. */
const shownBy: Readonly<Record<ScoreActivation, ((logit: number) => number) | undefined>> = {
  identity: undefined,
  sigmoid: (logit) => 1 / (1 + Math.exp(-logit)),
};

export class PairScorer {
  readonly #model: OpenCross;
  readonly #texts: Pick<PassageTexts, 'at' | 'resident'>;
  readonly #encoder: VectorEncoder;

  constructor(
    model: OpenCross,
    texts: Pick<PassageTexts, 'at' | 'resident'>,
    engine: Engine,
    { batchTokens, precision }: Pick<BenchConfig['encode'], 'batchTokens' | 'precision'>,
  ) {
    this.#model = model;
    this.#texts = texts;
    const { weights, maxTokens } = model;
    this.#encoder = new VectorEncoder({
      ...{ engine, retriever: model.model, weights, side: 'pair', maxTokens, batchTokens, precision },
    });
  }

  /** Whether the passages' texts lie in memory. */
  get resident(): boolean {
    return this.#texts.resident;
  }

  /** Ids of a query, for `rerank`. */
  queryTokens({ text }: Pick<Query, 'text'>): readonly number[] {
    return this.#tokens(text);
  }

  #tokens(text: string): number[] {
    const { facts, tokenizer } = this.#model;
    return tokenizer.encodeText(facts.lowercases ? text.toLowerCase() : text);
  }

  /**
   * Batches are made of the pairs of all these queries, the longest first: their padding is in the last bits of scores.
   * @param queries ids of each, as `queryTokens` gives them
   * @param onPairs is told how many pairs are scored; what it throws ends the scoring
   * @throws BenchError CHECKPOINT_INVALID where a score is no finite number
   */
  async rerank(
    queries: readonly (readonly number[])[],
    hits: PassageHits,
    cut: RerankCut,
    onPairs?: (done: number) => void,
  ): Promise<PassageHits> {
    const pairs: PairTokens[] = [];
    const starts = [0];
    for (const [q, query] of queries.entries()) {
      const from = q * hits.depth;
      for (const ordinal of hits.ordinals.subarray(from, from + Math.min(cut.reranked, hits.counts[q]!)))
        pairs.push(await this.#pair(query, ordinal));
      starts.push(pairs.length);
    }
    const logits = await this.#logits(pairs, onPairs);
    const scoreOf = (q: number, { length }: Int32Array) => ({
      scores: logits.subarray(starts[q], starts[q + 1]),
      winners: new Int32Array(length),
    });
    return inNewOrder(hits, scoreOf, cut, shownBy[this.#model.facts.activation]);
  }

  async #pair(query: readonly number[], ordinal: number): Promise<PairTokens> {
    const { tokenizer, maxTokens } = this.#model;
    return tokenizer.framePair(query, this.#tokens(await this.#texts.at(ordinal)), maxTokens);
  }

  /** One for each pair. */
  async #logits(pairs: readonly PairTokens[], onPairs?: (done: number) => void): Promise<Float32Array> {
    const ids = pairs.map((pair) => pair.ids);
    const types = pairs.map((pair) => pair.types);
    const { vectors } = await this.#encoder.encode(ids, onPairs, 1, types);
    const fault = vectors.findIndex((score) => !Number.isFinite(score));
    if (fault < 0) return vectors;
    throw new BenchError(
      'CHECKPOINT_INVALID',
      `${this.#model.name} gave a pair of ${ids[fault]!.length} tokens the score ${vectors[fault]}; expected a finite number.`,
      {
        hint: 'Its weights were damaged, or written by a training that went wrong: fetch or train it again.',
      },
    );
  }

  dispose(): Promise<void> {
    return this.#encoder.dispose();
  }
}
