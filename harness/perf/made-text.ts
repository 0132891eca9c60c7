/** Text whose words come as often as words do (Zipf's law), for collections of any size. */
import { type Stream, stream } from '../random.js';

const syllables =
  'ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu zan bel cor dun fex gal hin'.split(' ');

/** Words that look like words, so that tokenizing and stemming have something to do. */
function vocabulary(size: number, random: Stream): string[] {
  return Array.from({ length: size }, (_, i) => {
    const parts = Array.from({ length: 1 + random.integer(3) }, () => random.choose(syllables));
    return `${parts.join('')}${i.toString(36)}${i % 7 === 0 ? 'ing' : i % 5 === 0 ? 's' : ''}`;
  });
}

export class MadeText {
  readonly #words: readonly string[];
  readonly #random: Stream;

  constructor(vocabularySize: number, seed: number) {
    this.#random = stream(seed, 'made text');
    this.#words = vocabulary(vocabularySize, this.#random);
  }

  /** A word whose rank is drawn log-uniformly, which is Zipf's law with exponent 1. */
  word(): string {
    return this.#words[Math.floor(this.#words.length ** this.#random.uniform()) - 1] ?? this.#words[0]!;
  }

  text(words: number): string {
    let text = this.word();
    for (let i = 1; i < words; i++) text += ` ${this.word()}`;
    return `${text}.`;
  }
}

/** Resident memory of the process at its highest, in MiB. */
export const peakMiB = (): number => process.resourceUsage().maxRSS / 1024;
