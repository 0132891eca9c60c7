/** A WordPiece vocabulary made from a collection, for models that start from random weights. */
import { bertSpecials, bertTokenizerJson } from './bert-tokenizer.js';
import { normalizerOf } from './normalizer.js';
import { learnPieces } from './pieces.js';
import { preTokenizerOf } from './pre-tokenizer.js';
import type { TokenizerJson } from './tokenizer-file.js';

export interface VocabularyOptions {
  /** Tokens wanted, special ones included; there are fewer where the texts do not yield so many. */
  size?: number;
  /** Distinct words held in memory while counting; beyond it, the rarest are forgotten. */
  wordLimit?: number;
  /** Characters that get tokens of their own, the most frequent ones. */
  characterLimit?: number;
}

/** Words longer than this are unknown to WordPiece anyway. */
const longestWord = 100;

/**
 * Counts the words of all texts and learns pieces from them by joining, again and again, the most frequent pair of
 * neighbours (Sennrich et al. 2016), as the WordPieceTrainer of Hugging Face's tokenizers does: frequent words come out
 * whole, rare ones as frequent pieces. Equal texts in any order give equal vocabularies, as long as no words had to be
 * forgotten.
 * @returns a complete tokenizer.json, with [PAD] at 0
 */
export async function buildVocabulary(
  texts: AsyncIterable<string> | Iterable<string>,
  { size = 8000, wordLimit = 1_000_000, characterLimit = 1000 }: VocabularyOptions = {},
): Promise<TokenizerJson> {
  const raw = new WordCounts(wordLimit);
  for await (const text of texts) {
    for (const word of text.split(/\s+/)) if (word !== '') raw.add(word, 1);
  }
  const { normalizer, pre_tokenizer: preTokenizer } = bertTokenizerJson(bertSpecials);
  const normalize = normalizerOf(normalizer);
  const preTokenize = preTokenizerOf(preTokenizer)!;
  // Normalizing distinct words instead of texts is what makes this fast.
  const words = new Map<string, number>();
  for (const [text, count] of raw.counts) {
    for (const word of preTokenize(normalize(text), true)) {
      if ([...word].length <= longestWord) words.set(word, (words.get(word) ?? 0) + count);
    }
  }
  const pieces = learnPieces(words, size - bertSpecials.length, characterLimit);
  return bertTokenizerJson([...bertSpecials, ...pieces]);
}

/** Counts in bounded memory: when there are too many words, those seen least are dropped (lossy counting). */
class WordCounts {
  readonly counts = new Map<string, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(word: string, count: number): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + count);
    if (this.counts.size > this.#limit) this.#forget();
  }

  #forget(): void {
    for (let least = 1; this.counts.size > this.#limit / 2; least++) {
      for (const [word, count] of this.counts) if (count <= least) this.counts.delete(word);
    }
  }
}
