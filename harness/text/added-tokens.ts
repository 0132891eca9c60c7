/** Tokens that are sought in the text itself before the model sees it, as the fast tokenizers of Hugging Face seek them. */

export interface AddedToken {
  id: number;
  content: string;
  /** Not where it stands beside a letter, digit, mark or connecting line. */
  single_word?: boolean;
  /** Takes the white space before it. */
  lstrip?: boolean;
  /** Takes the white space behind it. */
  rstrip?: boolean;
  /** Sought in the normalized text, and normalized itself. */
  normalized?: boolean;
  special?: boolean;
}

/** A token, or a stretch of text between tokens with the place where it begins. */
export type Section = number | { text: string; start: number };

// As \w of Rust's regular expressions.
const wordCharacter = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const isWord = new RegExp(`^${wordCharacter}$`, 'u');
const isBlank = /^\p{White_Space}$/u;

/** Finds some tokens in a text: leftmost first, and of those that begin at one place the longest. */
export class AddedTokens {
  readonly #byContent = new Map<string, AddedToken>();
  readonly #pattern: RegExp | undefined;

  /** @param tokens by what is sought in the text; empty ones are never found */
  constructor(tokens: Iterable<readonly [string, AddedToken]>) {
    for (const [content, token] of tokens) if (content !== '') this.#byContent.set(content, token);
    if (this.#byContent.size === 0) return;
    const longestFirst = [...this.#byContent.keys()].sort((a, b) => b.length - a.length);
    const escaped = longestFirst.map((content) => content.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
    this.#pattern = new RegExp(escaped.join('|'), 'gu');
  }

  split(text: string): Section[] {
    if (this.#pattern === undefined) return text === '' ? [] : [{ text, start: 0 }];
    const sections: Section[] = [];
    let done = 0;
    for (const match of text.matchAll(this.#pattern)) {
      const token = this.#byContent.get(match[0])!;
      let start = match.index;
      let end = start + match[0].length;
      // Letter by letter: to look at all that stands before each token takes the square of their number.
      if (token.single_word && (isWord.test(letterBefore(text, start)) || isWord.test(letterAt(text, end))))
        continue;
      if (token.lstrip) while (start > done && isBlank.test(text[start - 1]!)) start--;
      if (token.rstrip) while (end < text.length && isBlank.test(text[end]!)) end++;
      if (start > done) sections.push({ text: text.slice(done, start), start: done });
      sections.push(token.id);
      done = end;
    }
    if (done < text.length) sections.push({ text: text.slice(done), start: done });
    return sections;
  }
}

/** Of one code point, which may be two letters of JavaScript; nothing at the ends of the text. */
const letterAt = (text: string, at: number): string =>
  at < text.length ? String.fromCodePoint(text.codePointAt(at)!) : '';
const letterBefore = (text: string, at: number): string =>
  [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
