/** Made weights of passages, and shards of them, for tests of indexes of impacts. */
import { mkdir } from 'node:fs/promises';
import { stream } from '../harness/random.js';
import { makeIndex } from './made-index.js';

export const tokens = 60;

/** Of each passage, tokens and weights; some have none. Few weights, so that scores are often equal. */
export function madeWeights(passages: number, purpose: string): [token: number, weight: number][][] {
  const random = stream(7, purpose);
  return Array.from({ length: passages }, (_, passage) =>
    passage % 9 === 4
      ? []
      : Array.from({ length: tokens }, (_, token) => token)
          // Tokens 0 and 7 are in no passage, token 5 in every one.
          .filter(
            (token) => token % 7 !== 0 && (token === 5 || random.integer(token % 3 === 0 ? 20 : 4) === 0),
          )
          .map((token): [number, number] => [token, Math.fround((1 + random.integer(4)) / 3)]),
  );
}

export const pairsOf = (texts: readonly (readonly [number, number])[][]) => ({
  pairs: Float32Array.from(texts.flat(2)),
  counts: Int32Array.from(texts, ({ length }) => length),
});

export async function shardsOf(folder: string, texts: [number, number][][], shards = 3) {
  await mkdir(folder, { recursive: true });
  const { pairs, counts } = pairsOf(texts);
  return makeIndex(folder, { values: pairs, dimensions: 2 }, [...counts], shards);
}
