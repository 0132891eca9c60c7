/**
 * DPR's retrieval results: one JSON array, an element per question with the passages found, their texts and whether they
 * hold an answer. What DPR's readers take, and what Pyserini and others write.
 */
import type { DataFile, Passage, Query, Ranking, Run } from '../contracts.js';
import { BenchError } from '../errors.js';
import { jsonArray } from './json-array.js';
import { writeLines } from './text-writer.js';
import { idOfNumber, writtenNumber } from './written-number.js';

export interface DprResult {
  question: string;
  answers: readonly string[];
  ctxs: readonly DprHit[];
}

export interface DprHit {
  id: string;
  title: string;
  text: string;
  /** DPR writes it as a string. */
  score: number;
  hasAnswer: boolean;
}

export interface DprRun {
  /** By query id. */
  run: Run;
  /** The rank of the first hit that the file says holds an answer, from 1; undefined where none does. */
  firstAnswerRank: Map<string, number | undefined>;
}

/**
 * The elements of a file, one at a time. Scores are taken as strings and as numbers.
 * @throws BenchError PATH_INVALID; RECORD_INVALID naming element and line
 */
export async function* readDprResults(file: string): AsyncGenerator<DprResult> {
  for await (const { value, text, index, line } of jsonArray(file, 'RECORD_INVALID')) {
    const check = new Check(`${file}, line ${line}, element ${index + 1}`);
    const element = check.object(value, 'it');
    const seen = new Set<string>();
    yield {
      question: check.text(element.question, 'question'),
      answers: check
        .list(element.answers ?? [], 'answers')
        .map((answer, i) => check.text(answer, `answers[${i}]`)),
      ctxs: check.list(element.ctxs, 'ctxs').map((each, i) => {
        const at = `ctxs[${i}]`;
        const { id, title, text: passage, score, has_answer: hasAnswer } = check.object(each, at);
        const passageId =
          typeof id === 'number' ? check.number(id, `${at}.id`, text) : check.text(id, `${at}.id`);
        if (seen.has(passageId)) throw check.fault(`${at}.id is '${passageId}', which an earlier hit has`);
        seen.add(passageId);
        return {
          id: passageId,
          title: check.text(title ?? '', `${at}.title`),
          text: check.text(passage ?? '', `${at}.text`),
          score: check.decimal(score, `${at}.score`),
          hasAnswer: check.flag(hasAnswer ?? false, `${at}.has_answer`),
        };
      }),
    };
  }
}

/**
 * The file as a run. DPR's files carry no query ids: elements and queries are paired by their order, and their texts have
 * to be the same.
 * @param queries those that were searched, in their order; where absent, element i becomes query `i` from 0 on
 */
export async function readDprRun(file: string, queries?: readonly Query[]): Promise<DprRun> {
  const run = new Map<string, Ranking>();
  const firstAnswerRank = new Map<string, number | undefined>();
  let index = 0;
  for await (const { question, ctxs } of readDprResults(file)) {
    const query = queries?.[index];
    if (queries !== undefined && query?.text !== question) {
      throw new BenchError(
        'RECORD_INVALID',
        `${file}, element ${index + 1} answers '${question.slice(0, 80)}', and query ${index + 1} is '${(query?.text ?? 'none').slice(0, 80)}'.`,
        { hint: 'The file has to answer the queries of this dataset, in their order.' },
      );
    }
    const queryId = query?.queryId ?? String(index);
    run.set(queryId, { passageIds: ctxs.map(({ id }) => id), scores: ctxs.map(({ score }) => score) });
    const first = ctxs.findIndex(({ hasAnswer }) => hasAnswer);
    firstAnswerRank.set(queryId, first < 0 ? undefined : first + 1);
    index++;
  }
  if (index === 0) throw new BenchError('RECORD_INVALID', `${file} holds no results.`);
  if (queries !== undefined && index < queries.length) {
    throw new BenchError('RECORD_INVALID', `${file} answers ${index} of ${queries.length} queries.`);
  }
  return { run, firstAnswerRank };
}

export interface DprResultParts {
  run: Run;
  /** In the order that the file keeps. */
  queries: readonly Query[];
  /** Every passage that is a hit of some query. */
  passages: ReadonlyMap<string, Passage>;
  /** Whether a passage holds an answer of the query. */
  hasAnswer(query: Query, passage: Passage): boolean;
}

/** @throws BenchError DATA_INVALID where a hit's passage is not among `passages` */
export async function writeDprResults(file: string, parts: DprResultParts): Promise<DataFile> {
  return writeLines(file, pieces(parts));
}

function* pieces({ run, queries, passages, hasAnswer }: DprResultParts): Generator<string> {
  yield '[';
  for (const [q, query] of queries.entries()) {
    const { passageIds = [], scores } = run.get(query.queryId) ?? {};
    const ctxs = passageIds.map((id, i) => {
      const passage = passages.get(id);
      if (passage === undefined) {
        throw new BenchError(
          'DATA_INVALID',
          `The run has the passage '${id}', which the collection does not have.`,
        );
      }
      const { title, text } = passage;
      return { id, title, text, score: String(scores?.[i] ?? 0), has_answer: hasAnswer(query, passage) };
    });
    const element = { question: query.text, answers: query.answers ?? [], ctxs };
    yield `${q === 0 ? '' : ','}\n${JSON.stringify(element)}`;
  }
  yield '\n]\n';
}

class Check {
  constructor(readonly where: string) {}

  fault(what: string): BenchError {
    return new BenchError('RECORD_INVALID', `${this.where}: ${what}.`, {
      hint: 'DPR results are [{ question, answers, ctxs: [{ id, title, text, score, has_answer }] }].',
    });
  }

  #refuse(value: unknown, name: string, wanted: string): BenchError {
    const seen = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 40);
    return this.fault(`${name} is ${seen}, and ${wanted} is needed`);
  }

  object(value: unknown, name: string): Record<string, unknown> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    throw this.#refuse(value, name, 'an object');
  }

  list(value: unknown, name: string): unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#refuse(value, name, 'a list');
  }

  text(value: unknown, name: string): string {
    if (typeof value === 'string') return value;
    throw this.#refuse(value, name, 'a string');
  }

  /** An id that is written as a number. @param text holds it as the file has it */
  number(value: number, name: string, text: string): string {
    const id = idOfNumber(value);
    if (id !== undefined) return id;
    throw this.fault(
      `${name} is the number ${writtenNumber(text, 'id', value)}, which cannot be read exactly`,
    );
  }

  flag(value: unknown, name: string): boolean {
    if (typeof value === 'boolean') return value;
    throw this.#refuse(value, name, 'true or false');
  }

  decimal(value: unknown, name: string): number {
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw this.#refuse(value, name, 'a number');
  }
}
