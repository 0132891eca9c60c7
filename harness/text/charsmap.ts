/**
 * The character map that SentencePiece compiles into a tokenizer (T5's `nmt_nfkc`): a double-array trie over UTF-8, and the texts
 * that its keys become. Read as the fast tokenizers read it, their spm_precompiled.
 */

/** A grapheme of more bytes is looked up character by character. */
const longestGrapheme = 5;

export class Charsmap {
  readonly #units: Uint32Array;
  readonly #texts: Uint8Array;
  readonly #characters = new Map<string, string>();
  readonly #graphemes = new Intl.Segmenter('und', { granularity: 'grapheme' });
  readonly #encoder = new TextEncoder();
  readonly #decoder = new TextDecoder();

  private constructor(units: Uint32Array, texts: Uint8Array) {
    this.#units = units;
    this.#texts = texts;
  }

  /** @param blob `precompiled_charsmap`, base64 @throws Error where it is cut */
  static read(blob: string): Charsmap {
    const bytes = Buffer.from(blob, 'base64');
    const trieBytes = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
    if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length)
      throw new Error(`its precompiled_charsmap of ${bytes.length} bytes is cut short`);
    const units = new Uint32Array(trieBytes / 4);
    for (let i = 0; i < units.length; i++) units[i] = bytes.readUInt32LE(4 + 4 * i);
    return new Charsmap(units, bytes.subarray(4 + trieBytes));
  }

  normalize(text: string): string {
    // Of plain ASCII only CR LF is a grapheme of two characters.
    if (/^[\0-\x7f]*$/.test(text) && !text.includes('\r\n')) return this.#each(text);
    let done = '';
    for (const { segment } of this.#graphemes.segment(text)) {
      const isWhole = segment.length > 1 && this.#encoder.encode(segment).length <= longestGrapheme;
      done += (isWhole ? this.#replacement(segment) : undefined) ?? this.#each(segment);
    }
    return done;
  }

  /** Character by character. */
  #each(text: string): string {
    let done = '';
    for (const character of text) {
      let known = this.#characters.get(character);
      if (known === undefined) {
        known = this.#replacement(character) ?? character;
        this.#characters.set(character, known);
      }
      done += known;
    }
    return done;
  }

  /**
   * What the shortest key that `text` begins with becomes, in place of all of `text`; undefined where no key is its beginning.
   * That a longer key would fit better is not looked at there, and so not here.
   */
  #replacement(text: string): string | undefined {
    const units = this.#units;
    let at = offsetOf(units[0]!);
    for (const byte of this.#encoder.encode(text)) {
      if (byte === 0) return undefined;
      at ^= byte;
      const unit = units[at];
      // The label of a unit that holds a value has its highest bit set.
      if (unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
      at ^= offsetOf(unit);
      if ((unit >>> 8) & 1) return this.#textAt(units[at]! & 0x7fffffff);
    }
    return undefined;
  }

  #textAt(start: number): string {
    const end = this.#texts.indexOf(0, start);
    return this.#decoder.decode(this.#texts.subarray(start, end < 0 ? undefined : end));
  }
}

const offsetOf = (unit: number): number => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;
