/** Texts of many scripts, spaces and signs, the same that test/fixtures/tokenizers/make-tokenizers.py makes. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { inFixtures } from './places.js';

interface Pools {
  words: string[];
  letters: [number, number][];
  spaces: string[];
  signs: string[];
  specials: string[];
}

/** A linear congruential generator (Numerical Recipes). */
class Draws {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  below(n: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return (this.#state >>> 8) % n;
  }

  of<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

function textOf(draws: Draws, { words, letters, spaces, signs, specials }: Pools): string {
  let text = '';
  const several = (most: number, one: () => string) => {
    for (let left = 1 + draws.below(most); left > 0; left--) text += one();
  };
  for (let left = 1 + draws.below(10); left > 0; left--) {
    const kind = draws.below(12);
    if (kind < 4) text += draws.of(words);
    else if (kind < 7) {
      const [low, high] = draws.of(letters);
      several(5, () => String.fromCodePoint(low + draws.below(high - low + 1)));
    } else if (kind === 7) text += draws.of(spaces);
    else if (kind === 8) several(3, () => draws.of(signs));
    else if (kind === 9) text += String(draws.below(100_000));
    else if (kind === 10) text += draws.of(specials);
    else text += ' ';
  }
  return text;
}

export function madeTexts(count: number): string[] {
  const pools = JSON.parse(readFileSync(path.join(inFixtures('tokenizers'), 'pools.json'), 'utf8')) as Pools;
  const draws = new Draws(7);
  return Array.from({ length: count }, () => textOf(draws, pools));
}
