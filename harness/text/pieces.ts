/** Learns word pieces from word counts by joining frequent pairs (byte pair encoding, Sennrich et al. 2016). */

/** Pairs rarer than this are not joined: a piece seen once teaches nothing. */
const leastCount = 2;
/** Ids stay below this, so that a pair of ids is one exact number. */
const idLimit = 2 ** 26;

interface Candidate {
  pair: number;
  count: number;
}

/**
 * @param words counts by word
 * @param size pieces wanted
 * @param characterLimit the most frequent characters have pieces; words with others are left out
 * @returns the characters as word beginnings and as `##` continuations, then the joined pieces in the order learned
 */
export function learnPieces(
  words: ReadonlyMap<string, number>,
  size: number,
  characterLimit: number,
): string[] {
  const learner = new PieceLearner(words, Math.min(characterLimit, Math.floor(size / 2)));
  while (learner.pieces.length < size && learner.joinBest());
  return learner.pieces;
}

class PieceLearner {
  readonly pieces: string[] = [];
  readonly #idOf = new Map<string, number>();
  /** Every word as ids of its pieces, and its count. */
  readonly #words: { ids: number[]; count: number }[] = [];
  readonly #counts = new Map<number, number>();
  /** Words that a pair is or once was in. */
  readonly #places = new Map<number, Set<number>>();
  readonly #queue: Queue;

  constructor(words: ReadonlyMap<string, number>, characterLimit: number) {
    // Nothing here depends on the order of the words: characters are sorted, and so are pairs, by count and pieces.
    const known = frequentCharacters(words, characterLimit);
    for (const character of known) this.#piece(character);
    const spelled = [...words]
      .map(([word, count]) => ({ characters: [...word], count }))
      .filter(({ characters }) => characters.every((character) => this.#idOf.has(character)));
    // Punctuation and ideographs always stand alone and need no continuation; plain letters may come up any time.
    const inner = new Set(spelled.flatMap(({ characters }) => characters.slice(1)));
    for (const character of known) {
      if (inner.has(character) || /^[a-z0-9]$/.test(character)) this.#piece(`##${character}`);
    }
    for (const { characters, count } of spelled) {
      const ids = characters.map((character, i) => this.#piece(i === 0 ? character : `##${character}`));
      const place = this.#words.push({ ids, count }) - 1;
      for (let i = 1; i < ids.length; i++) this.#change(pairOf(ids[i - 1]!, ids[i]!), count, place);
    }
    this.#queue = new Queue((a, b) => this.#isBefore(a, b));
    for (const [pair, count] of this.#counts) this.#queue.push({ pair, count });
  }

  /** Joins the most frequent pair everywhere; false where none is frequent enough. */
  joinBest(): boolean {
    for (let best = this.#queue.pop(); best !== undefined; best = this.#queue.pop()) {
      const now = this.#counts.get(best.pair) ?? 0;
      if (now < leastCount) continue;
      // A pair that has risen waits again already; one that has fallen does so now, at its new place.
      if (now !== best.count) this.#queue.push({ pair: best.pair, count: now });
      else {
        this.#join(best.pair);
        return true;
      }
    }
    return false;
  }

  #join(pair: number): void {
    const [left, right] = [Math.floor(pair / idLimit), pair % idLimit];
    const joined = this.#piece(this.pieces[left]! + this.pieces[right]!.slice(2));
    const risen = new Set<number>();
    for (const place of this.#places.get(pair) ?? []) {
      const { ids, count } = this.#words[place]!;
      for (let i = 1; i < ids.length; i++) {
        if (ids[i - 1] !== left || ids[i] !== right) continue;
        const before = ids[i - 2];
        const after = ids[i + 1];
        if (before !== undefined) {
          this.#change(pairOf(before, left), -count, place);
          risen.add(this.#change(pairOf(before, joined), count, place));
        }
        if (after !== undefined) {
          this.#change(pairOf(right, after), -count, place);
          risen.add(this.#change(pairOf(joined, after), count, place));
        }
        ids.splice(i - 1, 2, joined);
      }
    }
    this.#counts.delete(pair);
    this.#places.delete(pair);
    for (const other of risen) this.#queue.push({ pair: other, count: this.#counts.get(other) ?? 0 });
  }

  #change(pair: number, by: number, place: number): number {
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + by);
    if (by > 0) {
      const places = this.#places.get(pair);
      if (places === undefined) this.#places.set(pair, new Set([place]));
      else places.add(place);
    }
    return pair;
  }

  #piece(text: string): number {
    const known = this.#idOf.get(text);
    if (known !== undefined) return known;
    const id = this.pieces.push(text) - 1;
    this.#idOf.set(text, id);
    return id;
  }

  /** The higher count first; at equal counts the pair whose pieces were learned first. */
  #isBefore(a: Candidate, b: Candidate): boolean {
    return a.count !== b.count ? a.count > b.count : a.pair < b.pair;
  }
}

const pairOf = (left: number, right: number): number => left * idLimit + right;

function frequentCharacters(words: ReadonlyMap<string, number>, limit: number): string[] {
  const counts = new Map<string, number>();
  for (const [word, count] of words) {
    for (const character of word) counts.set(character, (counts.get(character) ?? 0) + count);
  }
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return ranked
    .slice(0, limit)
    .map(([character]) => character)
    .sort();
}

/** A binary heap. */
class Queue {
  readonly #items: Candidate[] = [];
  readonly #isBefore: (a: Candidate, b: Candidate) => boolean;

  constructor(isBefore: (a: Candidate, b: Candidate) => boolean) {
    this.#isBefore = isBefore;
  }

  push(item: Candidate): void {
    const items = this.#items;
    let at = items.push(item) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(item, items[parent]!); parent = (at - 1) >> 1) {
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  pop(): Candidate | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.#isBefore(items[child + 1]!, items[child]!)) child++;
      if (!this.#isBefore(items[child]!, last)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
