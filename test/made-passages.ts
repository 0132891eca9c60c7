/** Passages of drawn words, some of them empty: common words come often, rare ones seldom. */
import type { Passage } from '../harness/contracts.js';
import { stream } from '../harness/random.js';

export function drawnPassages(count: number): Passage[] {
  const random = stream(1, 'passages');
  const word = () => `w${Math.floor(300 * random.uniform() ** 3)}`;
  return Array.from({ length: count }, (_, i) => ({
    passageId: `p${i}`,
    title: i % 3 === 0 ? word() : '',
    text: i % 50 === 49 ? '' : Array.from({ length: random.integer(60) }, word).join(' '),
  }));
}

export async function* streamed<T>(items: Iterable<T>): AsyncGenerator<T> {
  yield* items;
}
