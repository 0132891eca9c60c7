/**
 * Which passages are added to a collection, and in which order: those whose hashed ids are smallest. So any number of them
 * is a fair sample of where they come from, and a smaller one the beginning of a larger one.
 */
import { hash } from 'node:crypto';
import type { Dataset, Passage } from '../../contracts.js';
import { relevantPassages } from '../../dataset/qrels.js';

/** What stands in the base already, and must not come again. */
export interface Standing {
  /** Ids of passages that a test query needs. */
  relevant: ReadonlySet<string>;
  /** Hashes of the texts of the base, ascending. */
  texts: Float64Array;
  /** Passages of the base. */
  passages: number;
}

/** Where each passage of the source stands among the distractors. */
export interface Order {
  /** By ordinal in the source; Infinity for one that is left out. */
  keys: Float64Array;
  /** The keys of those that are not, ascending. */
  sorted: Float64Array;
  leftOut: { relevantIds: number; sameTexts: number };
}

/** Ids of the passages that some test query needs: of relevance 1 or more. */
export async function relevantIds(dataset: Pick<Dataset, 'qrels'>): Promise<Set<string>> {
  return new Set([...(await relevantPassages(dataset, 'test')).values()].flat());
}

/** @param base its passages, or those of it that `relevant` names @param seen told of every passage */
export async function standingIn(
  passages: AsyncIterable<Passage>,
  relevant: ReadonlySet<string>,
  relevantAlone: boolean,
  seen: () => void,
): Promise<Standing> {
  const texts = new Numbers();
  let count = 0;
  for await (const { passageId, text } of passages) {
    seen();
    if (relevantAlone && !relevant.has(passageId)) continue;
    count++;
    const normalized = normalize(text);
    if (normalized !== '') texts.push(hash48(normalized));
  }
  return { relevant, texts: texts.values().sort(), passages: count };
}

/** @param own whether the source is the collection that the base is taken from: then a relevant passage stands there already */
export async function orderOf(
  source: AsyncIterable<Passage>,
  { relevant, texts }: Standing,
  own: boolean,
  seen: () => void,
): Promise<Order> {
  const keys = new Numbers();
  const leftOut = { relevantIds: 0, sameTexts: 0 };
  for await (const { passageId, text } of source) {
    seen();
    if (relevant.has(passageId)) {
      if (!own) leftOut.relevantIds++;
      keys.push(Number.POSITIVE_INFINITY);
    } else if (holds(texts, text)) {
      leftOut.sameTexts++;
      keys.push(Number.POSITIVE_INFINITY);
    } else keys.push(hash48(passageId));
  }
  const all = keys.values();
  return { keys: all, sorted: all.filter((key) => key !== Number.POSITIVE_INFINITY).sort(), leftOut };
}

/** The first `count` of them with their places from 0, in the order of the source. */
export async function* placed(
  source: AsyncIterable<Passage>,
  { keys, sorted }: Order,
  count: number,
): AsyncGenerator<{ place: number; passage: Passage }> {
  // Ids may share a hash: those that come first in the source come first.
  const before = new Map<number, number>();
  let ordinal = 0;
  for await (const passage of source) {
    const key = keys[ordinal++]!;
    if (count === 0 || key > sorted[count - 1]!) continue;
    const earlier = before.get(key) ?? 0;
    const lowest = lowerBound(sorted, key);
    if (sorted[lowest + 1] === key) before.set(key, earlier + 1);
    if (lowest + earlier < count) yield { place: lowest + earlier, passage };
  }
}

/** Case, blanks and the ways in which Unicode writes one letter make no other text. */
function normalize(text: string): string {
  // Blanks that are one already stay: a text of a hundred words takes an eighth of the time.
  return text
    .normalize('NFKC')
    .toLowerCase()
    .trim()
    .replace(/\s\s+|[^\S ]/g, ' ');
}

/** As much of a hash as a double holds. */
const hash48 = (text: string): number => Number.parseInt(hash('sha256', text, 'hex').slice(0, 12), 16);

function holds(texts: Float64Array, text: string): boolean {
  if (texts.length === 0) return false;
  const normalized = normalize(text);
  if (normalized === '') return false;
  const key = hash48(normalized);
  return texts[lowerBound(texts, key)] === key;
}

/** The first place whose value is not below. */
function lowerBound(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Numbers without an object each: collections have millions of passages. */
class Numbers {
  #held = new Float64Array(1 << 10);
  #count = 0;

  push(value: number): void {
    if (this.#count === this.#held.length) {
      const larger = new Float64Array(2 * this.#held.length);
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held[this.#count++] = value;
  }

  values(): Float64Array {
    return this.#held.slice(0, this.#count);
  }
}
