/** Byte-level pre-tokenization (Radford et al. 2019), of RoBERTa and ModernBERT: words by a pattern, and each byte a letter. */

/** As in GPT-2; a blank goes with the word behind it. White space is Unicode's, of which JavaScript's \s is another. */
const words =
  /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** A letter for each byte: those that can be seen are their own, the others are counted from U+0100. */
const letters: readonly string[] = (() => {
  const isSeen = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(isSeen(byte) ? byte : next++));
})();

/**
 * @param prefixes whether a blank is put before a text that does not begin with one
 * @param splits whether the pattern cuts words; else the text is one
 */
export function byteLevel(prefixes: boolean, splits: boolean): (text: string) => string[] {
  return (text) => {
    const whole = prefixes && !text.startsWith(' ') ? ` ${text}` : text;
    return (splits ? (whole.match(words) ?? []) : [whole]).map(spelled);
  };
}

function spelled(word: string): string {
  let done = '';
  for (const byte of Buffer.from(word, 'utf8')) done += letters[byte]!;
  return done;
}
