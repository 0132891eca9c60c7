/**
 * DPR's training files (biencoder-*.json): one array of questions, each with its answers and the passages to train on, texts
 * and all.
 */
import { createHash } from 'node:crypto';
import type { Passage, Query } from '../contracts.js';
import { BenchError } from '../errors.js';
import { jsonArray } from './json-array.js';
import { idOfNumber, writtenNumber } from './written-number.js';

type ContextList = 'positive_ctxs' | 'negative_ctxs' | 'hard_negative_ctxs';

const shape =
  'Each element is { question, answers, positive_ctxs, negative_ctxs, hard_negative_ctxs }, and a ctx is { title, text, passage_id or psg_id }.';

/** One question of such a file. What it lacks, or has in another form, is refused with its place. */
class DprQuestion {
  readonly #value: Record<string, unknown>;
  readonly #where: string;
  /** As it stands in the file. */
  readonly #written: string;

  constructor(value: unknown, where: string, text: string) {
    this.#where = where;
    this.#written = text;
    this.#value = this.#object(value, 'it');
  }

  get text(): string {
    return this.#text(this.#value.question, 'question');
  }

  get answers(): string[] {
    return this.#list('answers').map((answer, i) => this.#text(answer, `answers[${i}]`));
  }

  /** Passages under the ids that the file gives them. */
  contexts(name: ContextList): Passage[] {
    return this.#passages(name, (context, at) => this.#id(context, at));
  }

  /** Passages known by what they say: two of one title and text are one. */
  texts(name: ContextList): Passage[] {
    return this.#passages(name).map(({ title, text }) => {
      const hash = createHash('sha1').update(`${title}\0${text}`).digest('base64url');
      return { passageId: `text ${hash}`, title, text };
    });
  }

  /** DPR takes the other negatives where there are no hard ones, and its mined file (nq-adv-hn) has no such list. */
  negatives(read: 'contexts' | 'texts'): Passage[] {
    const hard = this[read]('hard_negative_ctxs');
    return hard.length > 0 || this.#value.negative_ctxs === undefined ? hard : this[read]('negative_ctxs');
  }

  #passages(
    name: ContextList,
    idOf: (context: Record<string, unknown>, at: string) => string = () => '',
  ): Passage[] {
    return this.#list(name).map((each, i) => {
      const at = `${name}[${i}]`;
      const context = this.#object(each, at);
      return {
        passageId: idOf(context, at),
        title: this.#text(context.title ?? '', `${at}.title`),
        text: this.#text(context.text, `${at}.text`),
      };
    });
  }

  #list(name: string): unknown[] {
    const value = this.#value[name];
    if (Array.isArray(value)) return value;
    throw this.#refuse(value, name, 'a list');
  }

  #object(value: unknown, name: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw this.#refuse(value, name, 'an object');
  }

  #id({ passage_id, psg_id }: Record<string, unknown>, at: string): string {
    const id = passage_id ?? psg_id;
    if (typeof id === 'string' && id !== '') return id;
    const exact = typeof id === 'number' ? idOfNumber(id) : undefined;
    if (exact !== undefined) return exact;
    const name = passage_id === undefined ? 'psg_id' : 'passage_id';
    const seen = typeof id === 'number' ? writtenNumber(this.#written, name, id) : JSON.stringify(id);
    throw this.#refuseSeen(seen ?? 'missing', `${at}.passage_id`, 'an id');
  }

  #text(value: unknown, name: string): string {
    if (typeof value === 'string') return value;
    throw this.#refuse(value, name, 'a string');
  }

  #refuse(value: unknown, name: string, wanted: string): BenchError {
    return this.#refuseSeen(value === undefined ? 'missing' : JSON.stringify(value), name, wanted);
  }

  #refuseSeen(seen: string, name: string, wanted: string): BenchError {
    const what = `${name} is ${seen.slice(0, 40)}, and ${wanted} is needed`;
    return new BenchError('DATA_INVALID', `${this.#where}: ${what}.`, { hint: shape });
  }
}

/** @throws BenchError PATH_INVALID; DATA_INVALID with line and element */
export async function* dprQuestions(file: string): AsyncGenerator<{ question: DprQuestion; index: number }> {
  for await (const { value, text, index, line } of jsonArray(file, 'DATA_INVALID')) {
    yield { question: new DprQuestion(value, `${file}, line ${line}, element ${index + 1}`, text), index };
  }
}

/** Negatives kept of a question: the paper's code takes 200 of them, DPR's files have about 100. */
const longest = 200;

/** The negatives that a question is trained with: each once, none of them a positive. */
export const negativesAmong = (passages: readonly Passage[], positives: ReadonlySet<string>): string[] =>
  [...new Set(passages.map(({ passageId }) => passageId))]
    .filter((id) => !positives.has(id))
    .slice(0, longest);

/** Questions as DPR trains on them, passages known by their texts. */
export interface DprExamples {
  queries: Query[];
  /** By query id: the first positive, or nothing. */
  positives: Map<string, readonly string[]>;
  /** By query id, best first. */
  negatives: Map<string, readonly string[]>;
}

/** Reads the whole file once; the texts stay on the disk. */
export async function readDprExamples(file: string): Promise<DprExamples> {
  const examples: DprExamples = { queries: [], positives: new Map(), negatives: new Map() };
  for await (const { question, index } of dprQuestions(file)) {
    // The file's name is no part of it: a file that is called otherwise trains the same.
    const queryId = String(index);
    const positives = question.texts('positive_ctxs').map(({ passageId }) => passageId);
    examples.queries.push({ queryId, text: question.text });
    examples.positives.set(queryId, positives.slice(0, 1));
    examples.negatives.set(queryId, negativesAmong(question.negatives('texts'), new Set(positives)));
  }
  if (examples.queries.length === 0) throw new BenchError('DATA_INVALID', `${file} holds no questions.`);
  return examples;
}

/** The texts that the ids of `readDprExamples` stand for. */
export async function* dprExamplePassages(file: string): AsyncGenerator<Passage> {
  for await (const { question } of dprQuestions(file)) {
    yield* question.texts('positive_ctxs').slice(0, 1);
    yield* question.negatives('texts');
  }
}
