/** The JSON of SQuAD v1.1, checked value by value: the first wrong one is named by its path. */
import { BenchError } from '../../harness/errors.js';
import { parseJson } from '../../harness/json.js';

export interface Article {
  title: string;
  paragraphs: readonly Paragraph[];
}

export interface Paragraph {
  context: string;
  qas: readonly {
    id: string;
    question: string;
    answers: readonly { text: string; answer_start: number }[];
  }[];
}

const shape =
  'SQuAD v1.1 is { data: [{ title, paragraphs: [{ context, qas: [{ id, question, answers: [{ text, answer_start }] }] }] }] }.';

/** A value as an error shows it: short. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}...` : text;
}

class Checker {
  constructor(readonly file: string) {}

  refuse(at: string, value: unknown, wanted: string): never {
    throw new BenchError(
      'DATA_INVALID',
      `${this.file}: ${at || 'the whole'} is ${show(value)}, and ${wanted} is needed.`,
      {
        hint: `${shape} Another dataset's file, or another version of SQuAD?`,
      },
    );
  }

  object(value: unknown, at: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    return this.refuse(at, value, 'an object');
  }

  list(value: unknown, at: string): unknown[] {
    return Array.isArray(value) ? value : this.refuse(at, value, 'a list');
  }

  text(value: unknown, at: string): string {
    return typeof value === 'string' ? value : this.refuse(at, value, 'a string');
  }

  filled<T extends string | unknown[]>(value: T, at: string): T {
    return value.length > 0
      ? value
      : this.refuse(at, value, `a ${typeof value === 'string' ? 'string' : 'list'} that is not empty`);
  }

  /** Returns the number of questions. */
  article(value: unknown, at: string): number {
    const article = this.object(value, at);
    this.text(article.title, `${at}.title`);
    let questions = 0;
    for (const [p, each] of this.list(article.paragraphs, `${at}.paragraphs`).entries()) {
      const inside = `${at}.paragraphs[${p}]`;
      const paragraph = this.object(each, inside);
      this.text(paragraph.context, `${inside}.context`);
      const qas = this.list(paragraph.qas, `${inside}.qas`);
      for (const [q, question] of qas.entries()) this.question(question, `${inside}.qas[${q}]`);
      questions += qas.length;
    }
    return questions;
  }

  question(value: unknown, at: string): void {
    const question = this.object(value, at);
    this.filled(this.text(question.id, `${at}.id`), `${at}.id`);
    this.text(question.question, `${at}.question`);
    const answers = this.filled(this.list(question.answers, `${at}.answers`), `${at}.answers`);
    for (const [i, each] of answers.entries()) {
      const inside = `${at}.answers[${i}]`;
      const answer = this.object(each, inside);
      this.text(answer.text, `${inside}.text`);
      const start = answer.answer_start;
      if (!Number.isInteger(start) || (start as number) < 0) {
        this.refuse(`${inside}.answer_start`, start, 'a whole number from 0 on');
      }
    }
  }
}

/** Where the text stops being JSON, as line and column; the parser names no place where the text just ends. */
function placeOf(error: SyntaxError, text: string): string {
  const found = /at position (\d+)/.exec(error.message)?.[1];
  const position = found === undefined ? text.length : Number(found);
  const before = text.slice(0, position);
  const column = position - before.lastIndexOf('\n');
  const excerpt = JSON.stringify(text.slice(Math.max(0, position - 30), position + 10));
  return `character ${position} of ${text.length} (line ${before.split('\n').length}, column ${column}), near ${excerpt}`;
}

/**
 * The articles of a file.
 * @param file its path, for errors
 * @throws BenchError DATA_INVALID where the bytes are not SQuAD v1.1, naming the place and the value
 */
export function parseSquad(bytes: Uint8Array, file: string): readonly Article[] {
  const again = 'Is the file whole? Fetch it again, or leave --data out to have it downloaded and checked.';
  if (bytes.length === 0)
    throw new BenchError('DATA_INVALID', `${file} is empty (0 bytes).`, { hint: again });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BenchError('DATA_INVALID', `${file} is not text in UTF-8.`, { hint: again, cause });
  }
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const place = placeOf(cause as SyntaxError, text);
    const { message } = cause as SyntaxError;
    throw new BenchError('DATA_INVALID', `${file} is not JSON: it breaks at ${place}: ${message}.`, {
      hint: again,
      cause,
    });
  }
  const check = new Checker(file);
  const data = check.filled(check.list(check.object(value, '').data, 'data'), 'data');
  let questions = 0;
  for (const [a, article] of data.entries()) questions += check.article(article, `data[${a}]`);
  if (questions === 0) {
    throw new BenchError('DATA_INVALID', `${file} holds no question in ${data.length} articles.`, {
      hint: shape,
    });
  }
  return data as Article[];
}
