/**
 * Seeded streams. A stream is named by the run's seed and by what it is for, so that adding a consumer never shifts
 * the numbers of another, and so that any step can be drawn again without the ones before it (resume).
 */

/** FNV-1a over UTF-16 code units, then a murmur3 finalizer: turns a name into 32 well-mixed bits. */
function hashName(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** xoshiro128** 1.1 (Blackman and Vigna, public domain), seeded by splitmix32. */
export class Stream {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    let state = seed >>> 0;
    const splitmix = () => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = splitmix();
    this.#b = splitmix();
    this.#c = splitmix();
    this.#d = splitmix();
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    const x = Math.imul(this.#b, 5);
    const result = Math.imul((x << 7) | (x >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** The four words that it goes on from: for a loop that keeps them in registers and gives them back. */
  get state(): Int32Array {
    return Int32Array.of(this.#a, this.#b, this.#c, this.#d);
  }
  set state(words: Int32Array) {
    [this.#a, this.#b, this.#c, this.#d] = words as unknown as [number, number, number, number];
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  /** A whole number in [0, bound), without modulo bias. */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > 4294967296) throw new RangeError(`bound ${bound}`);
    const limit = 4294967296 - (4294967296 % bound);
    let value = this.bits();
    while (value >= limit) value = this.bits();
    return value % bound;
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher and Yates) and returns the same array. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const item = items[i]!;
      items[i] = items[j]!;
      items[j] = item;
    }
    return items;
  }

  /** One of the items. */
  choose<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('choose from nothing');
    return items[this.integer(items.length)]!;
  }
}

/**
 * The stream of a purpose: `stream(12345, 'shuffle', epoch)`.
 * @param seed the run's seed
 * @param purpose what the numbers are for, and any indices that tell one use from the next
 */
export function stream(seed: number, ...purpose: readonly (string | number)[]): Stream {
  return new Stream(hashName(`${seed}/${purpose.join('/')}`));
}
