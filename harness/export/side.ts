/** The two sides of a retriever, each with an encoder. */
import type { RetrieverFacts } from '../model/retriever-facts.js';

export type Side = 'passage' | 'query';
export const sides: readonly Side[] = ['passage', 'query'];

export const modelName = (side: Side): string => `${side}.onnx`;

/** The most tokens that a text of this side is cut to. */
export const textLimit = ({ text }: Pick<RetrieverFacts, 'text'>, side: Side): number =>
  side === 'passage' ? text.maxPassageTokens : text.maxQueryTokens;
