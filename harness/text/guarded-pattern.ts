/**
 * Patterns that somebody else wrote: answers that are patterns, patterns of a tokenizer.json. They mean what they mean to
 * JavaScript's own engine, which may take for ever over a few characters: it does its work under a time limit. What cannot
 * take long, by what the pattern is made of, is done without.
 */
import vm from 'node:vm';
import { BenchError, type ErrorCode } from '../errors.js';

/** Milliseconds for one text: what is not meant to explode takes less than one. */
const limitMs = 2000;
/** Characters of a pattern as JavaScript has it; one of a longer takes more memory than its text by a thousand times. */
export const largestPattern = 1 << 15;
/** Characters. A single repetition looks at no more than their square. */
const shortText = 4096;

const context = vm.createContext({ work: undefined as unknown });
const script = new vm.Script('work()');

/** Does work that may hang in a regular expression. @throws what `refuse` gives where the time limit has passed */
export function underWatch<Result>(work: () => Result, refuse: () => BenchError): Result {
  let result: Result | undefined;
  context.work = () => {
    result = work();
  };
  try {
    script.runInContext(context, { timeout: limitMs });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw refuse();
    throw error;
  } finally {
    context.work = undefined;
  }
  return result as Result;
}

export class GuardedPattern {
  readonly #pattern: RegExp;
  readonly #repetitions: number;
  readonly #whose: string;
  readonly #code: ErrorCode;

  /** @param whose what the pattern is, for errors: `the answer 'a+'` */
  constructor(pattern: RegExp, whose: string, code: ErrorCode) {
    this.#pattern = pattern;
    this.#repetitions = repetitionsIn(pattern.source);
    this.#whose = whose;
    this.#code = code;
  }

  /** @throws BenchError where it is too large; SyntaxError where it is no pattern */
  static of(source: string, flags: string, whose: string, code: ErrorCode): GuardedPattern {
    if (source.length > largestPattern) throw tooLarge(whose, code);
    return new GuardedPattern(new RegExp(source, flags), whose, code);
  }

  /** @throws BenchError where it takes too long */
  test(text: string): boolean {
    return this.#guarded(text, () => this.#pattern.test(text));
  }

  /** @throws BenchError where it takes too long */
  replaceAll(text: string, content: () => string): string {
    return this.#guarded(text, () => text.replaceAll(this.#pattern, content));
  }

  #guarded<Result>(text: string, work: () => Result): Result {
    const isFast = this.#repetitions === 0 || (this.#repetitions === 1 && text.length <= shortText);
    try {
      return isFast ? work() : underWatch(work, () => tooSlow(this.#whose, text, this.#code));
    } catch (error) {
      // V8 compiles a pattern when it is first used, and only then finds it too large.
      if (error instanceof SyntaxError) throw tooLarge(this.#whose, this.#code);
      throw error;
    }
  }
}

/** A pattern in an error: as much as one knows it again by. */
export function shownPattern(source: string): string {
  const shown = JSON.stringify(source.slice(0, 80));
  return source.length > 80 ? `${shown} and ${source.length - 80} more characters` : shown;
}

function tooLarge(whose: string, code: ErrorCode): BenchError {
  return new BenchError(code, `${whose} is too large a pattern.`, {
    hint: 'Split it into several, each of some hundreds of characters.',
  });
}

/** @param whose what the pattern is */
export function tooSlow(whose: string, text: string, code: ErrorCode): BenchError {
  const seen = JSON.stringify(text.slice(0, 40));
  return new BenchError(
    code,
    `${whose} takes more than ${limitMs / 1000} seconds over a text of ${text.length} characters that begins with ${seen}.`,
    {
      hint: 'A repetition of something that repeats itself, as in (a+)+, can be gone through in very many ways: write it otherwise.',
    },
  );
}

/** How many repetitions a pattern has, at most; a reference back counts as two, for it may take as long. */
export function repetitionsIn(source: string): number {
  // Escapes and classes are one character each, and a ? behind a bracket says what kind of group it is.
  const parts = source
    .replace(/\\(?:[pPu]\{[^}]*\}|k<[^>]*>|[\s\S])/g, (found) => (/^\\[1-9k]/.test(found) ? '**' : 'x'))
    .replace(/\[[^\]]*\]/g, 'x')
    .replace(/\(\?/g, '(');
  return parts.match(/[*+?]|\{\d/g)?.length ?? 0;
}
