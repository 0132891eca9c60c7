/** Hits that are a query's positive under another id: of no use as negatives, for they answer as well as it does. */
import { createHash } from 'node:crypto';
import type { Dataset, Passage } from '../contracts.js';

/** 48 bits of the words of a passage; two passages with one number are one text but for white space. */
function wordsOf({ title, text }: Passage): number {
  const body = text.trim() === '' ? title : text;
  const words = body.trim().split(/\s+/).join(' ');
  return createHash('sha256').update(words).digest().readUIntBE(0, 6);
}

/**
 * Reads the collection once and takes 9 bytes a passage. Titles are not compared, unless there is no text: it is the text that
 * answers.
 * @param positives by place of the query, the ids of its relevant passages
 * @param ordinals of all hits; those below 0 are none
 * @returns whether a hit is a word-for-word copy of a positive of the query at place q
 */
export async function copiesOfPositives(
  dataset: Dataset,
  positives: readonly (readonly string[] | undefined)[],
  ordinals: Int32Array,
): Promise<(q: number, ordinal: number) => boolean> {
  const isHit = new Uint8Array(dataset.passageCount);
  for (const ordinal of ordinals) if (ordinal >= 0) isHit[ordinal] = 1;
  const ids = new Set(positives.flatMap((own) => own ?? []));
  const hitWords = new Float64Array(dataset.passageCount);
  const positiveWords = new Map<string, number>();
  let ordinal = 0;
  for await (const passage of ids.size === 0 ? [] : dataset.passages()) {
    const isPositive = ids.has(passage.passageId);
    if (isPositive || isHit[ordinal] === 1) {
      const words = wordsOf(passage);
      hitWords[ordinal] = words;
      if (isPositive) positiveWords.set(passage.passageId, words);
    }
    ordinal++;
  }
  return (q, hit) => {
    for (const id of positives[q] ?? []) if (positiveWords.get(id) === hitWords[hit]) return true;
    return false;
  };
}
