/** Gives queries the vectors that are searched with, while somebody waits for them. */
import type { BenchConfig } from '../config/config.js';
import type { Query } from '../contracts.js';
import type { Part } from '../latency/latency.js';
import type { Architecture } from '../model/retriever.js';
import type { ModelNeed, Workplace } from '../stages/graph.js';
import type { Engine } from '../tensor/engine.js';
import { type OpenModel, openEncoder, parameterCountOf } from './open-model.js';

export interface QueryEncoder {
  /** `tokenize` and `encode`: from a Query to its vector, [D]. Empty where there is nothing to time: `encode` looks them up. */
  readonly parts: readonly Part[];
  /** @returns [Q, D] */
  encode(queries: readonly Query[]): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Where a system's queries get their vectors. */
export interface QuerySource {
  /** Numbers that it holds in memory, and what it is, if it was trained here. */
  held(): Promise<{ numbers: number; architecture?: Architecture | undefined }>;
  /** JSON by which it is opened anew, to be timed. */
  readonly from: QueriesFrom;
}

export interface QueriesFrom {
  /** What it reads; absent where that is nothing on this disk. */
  readonly folder?: string;
  /** As a record names the system. */
  readonly name?: string;
  readonly url?: string;
}

/** @param from JSON by which the model is opened again */
export function modelSource(at: Workplace, model: ModelNeed, from: QueriesFrom): QuerySource {
  return {
    from,
    async held() {
      const { retriever, architecture } = await at.model(model);
      return { numbers: parameterCountOf(retriever), architecture };
    },
  };
}

/** The vector of a query that went through `parts`. */
export async function vectorOf({ parts, encode }: QueryEncoder, given: unknown): Promise<Float32Array> {
  return parts.length === 0 ? encode([given as Query]) : (given as Float32Array);
}

/** The queries of a model that is open here: tokens, then its encoder. */
export function modelQueries(model: OpenModel, engine: Engine, asked: BenchConfig['encode']): QueryEncoder {
  const encoder = openEncoder(model, 'query', engine, asked);
  const tokenize = ({ text }: Query) => model.texts.query(text);
  const encode = async (tokens: readonly Int32Array[]) => (await encoder.encode(tokens)).vectors;
  return {
    parts: [
      { name: 'tokenize', run: tokenize },
      { name: 'encode', run: (tokens: Int32Array) => encode([tokens]) },
    ],
    encode: (queries) => encode(queries.map(tokenize)),
    dispose: () => encoder.dispose(),
  };
}
