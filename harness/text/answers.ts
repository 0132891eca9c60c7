/**
 * Whether a passage holds an answer, decided as DPR decides it (`has_answer` in dpr/data/qa_validation.py, repeated
 * word for word in Pyserini): this is the matching behind published top-k accuracies, so its oddities are kept.
 */
import { GuardedPattern, shownPattern } from './guarded-pattern.js';
import { pythonPattern } from './python-pattern.js';

const token = /[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]/gu;

/** No token holds a control character, so this one can stand between them. */
const between = '\n';

/**
 * The words of a text: runs of letters, digits and marks, and every other visible character by itself, after
 * decomposition (NFD). Each is lower-cased after the split, as DPR does.
 */
export function tokens(text: string): string[] {
  return (text.normalize('NFD').match(token) ?? []).map((word) => word.toLowerCase());
}

/** Words side by side: one list is a contiguous part of another exactly where its joined form is. */
function join(words: readonly string[]): string {
  return words.length === 0 ? between : `${between}${words.join(between)}${between}`;
}

/** A passage's text made ready once, to be matched against the answers of many queries. Not its title: DPR leaves it out. */
export class PassageText {
  readonly #text: string;
  #joined: string | undefined;
  #decomposed: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** For string matching. */
  get joinedWords(): string {
    this.#joined ??= join(tokens(this.#text));
    return this.#joined;
  }

  /** For regex matching. */
  get decomposed(): string {
    this.#decomposed ??= this.#text.normalize('NFD');
    return this.#decomposed;
  }
}

/** The answers of one query. A query without answers matches nothing. */
export class AnswerMatcher {
  /**
   * Patterns of regex mode that cannot be run; they match nothing, which is DPR's rule for an invalid pattern.
   * A pattern that Python takes and JavaScript has no equal for is listed here too: report them.
   */
  readonly unusable: readonly string[];
  /** Whether one of the answers is in every passage: an empty one, one without any word, a pattern that nothing matches too. */
  readonly matchesAll: boolean;
  readonly #needles: readonly string[] = [];
  readonly #patterns: readonly GuardedPattern[] = [];

  /**
   * @param mode `string`: an answer's words occur next to each other in the passage; an answer without any word
   *   matches every passage. `regex`: an answer is a pattern in Python's syntax, sought anywhere without regard to
   *   case (CuratedTREC).
   */
  constructor(answers: readonly string[], mode: 'string' | 'regex') {
    const unusable: string[] = [];
    if (mode === 'string') {
      this.#needles = [...new Set(answers.map((answer) => join(tokens(answer))))];
    } else {
      this.#patterns = answers.flatMap((answer) => {
        const pattern = pythonPattern(answer.normalize('NFD'));
        if (pattern !== undefined)
          return new GuardedPattern(pattern, `The answer pattern ${shownPattern(answer)}`, 'DATA_INVALID');
        unusable.push(answer);
        return [];
      });
    }
    this.unusable = unusable;
    this.matchesAll = this.#needles.includes(between) || this.#patterns.some((pattern) => pattern.test(''));
  }

  /** Whether any of the answers is in the passage's text. @throws BenchError DATA_INVALID for a pattern that takes for ever */
  matches(passage: string | PassageText): boolean {
    const prepared = typeof passage === 'string' ? new PassageText(passage) : passage;
    if (this.#needles.some((needle) => prepared.joinedWords.includes(needle))) return true;
    return this.#patterns.some((pattern) => pattern.test(prepared.decomposed));
  }
}
