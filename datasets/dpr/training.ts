/** biencoder-*.json: questions with the passages to train on, texts and all. */
import type { Passage, Qrel, Query } from '../../harness/contracts.js';
import { BenchError } from '../../harness/errors.js';
import { jsonArray } from '../../harness/interchange/json-array.js';

/** A split as its file gives it: ids alone are kept, the texts stay on the disk. */
export interface TrainingSplit {
  queries: Query[];
  qrels: Qrel[];
  negatives: Map<string, readonly string[]>;
  /** Of dev: the negatives that are not hard. */
  others: Map<string, readonly string[]>;
  /** Questions without a positive passage, which DPR drops. */
  withoutPositive: number;
}

interface Context extends Passage {
  passageId: string;
}

const shape =
  'Each element is { question, answers, positive_ctxs, negative_ctxs, hard_negative_ctxs }, and a ctx is { title, text, passage_id or psg_id }.';

class Element {
  readonly #value: Record<string, unknown>;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#where = where;
    this.#value = this.#object(value, 'it');
  }

  get question(): string {
    return this.#text(this.#value.question, 'question');
  }

  get answers(): string[] {
    return this.#list('answers').map((answer, i) => this.#text(answer, `answers[${i}]`));
  }

  contexts(name: 'positive_ctxs' | 'negative_ctxs' | 'hard_negative_ctxs'): Context[] {
    return this.#list(name).map((each, i) => {
      const at = `${name}[${i}]`;
      const context = this.#object(each, at);
      const id = context.passage_id ?? context.psg_id;
      if ((typeof id !== 'string' && typeof id !== 'number') || id === '')
        throw this.#refuse(id, `${at}.passage_id`, 'an id');
      return {
        passageId: String(id),
        title: this.#text(context.title ?? '', `${at}.title`),
        text: this.#text(context.text, `${at}.text`),
      };
    });
  }

  /** DPR takes the other negatives where there are no hard ones. */
  negatives(): Context[] {
    const hard = this.contexts('hard_negative_ctxs');
    return hard.length > 0 ? hard : this.contexts('negative_ctxs');
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

  #text(value: unknown, name: string): string {
    if (typeof value === 'string') return value;
    throw this.#refuse(value, name, 'a string');
  }

  #refuse(value: unknown, name: string, wanted: string): BenchError {
    const seen = value === undefined ? 'missing' : JSON.stringify(value).slice(0, 40);
    return new BenchError('DATA_INVALID', `${this.#where}: ${name} is ${seen}, and ${wanted} is needed.`, {
      hint: shape,
    });
  }
}

async function* elementsOf(file: string): AsyncGenerator<{ element: Element; index: number }> {
  for await (const { value, index, line } of jsonArray(file, 'DATA_INVALID')) {
    yield { element: new Element(value, `${file}, line ${line}, element ${index + 1}`), index };
  }
}

/** Negatives kept of a question: the paper's code takes 200 of them, the files have about 100. */
const longest = 200;

/** Reads the whole file once. Memory grows with the questions (about 1 KB each, most of it the ids of their negatives). */
export async function readTraining(file: string, name: 'train' | 'dev'): Promise<TrainingSplit> {
  const split: TrainingSplit = {
    queries: [],
    qrels: [],
    negatives: new Map(),
    others: new Map(),
    withoutPositive: 0,
  };
  const idsOf = (contexts: readonly Context[], positives: ReadonlySet<string>) =>
    [...new Set(contexts.map(({ passageId }) => passageId))]
      .filter((id) => !positives.has(id))
      .slice(0, longest);
  for await (const { element, index } of elementsOf(file)) {
    const queryId = `${name}-${index}`;
    const positives = new Set(element.contexts('positive_ctxs').map(({ passageId }) => passageId));
    if (positives.size === 0) {
      split.withoutPositive++;
      continue;
    }
    split.queries.push({ queryId, text: element.question, answers: element.answers });
    for (const passageId of positives) split.qrels.push({ queryId, passageId, relevance: 1 });
    split.negatives.set(queryId, idsOf(element.negatives(), positives));
    // Nothing trains on them: they are for the pool that dev is ranked in.
    if (name === 'dev') split.others.set(queryId, idsOf(element.contexts('negative_ctxs'), positives));
  }
  return split;
}

/** The texts of positives and negatives as the file has them, which are what DPR trains on; of dev, of all negatives. */
export async function* trainingPassagesOf(file: string, split: 'train' | 'dev'): AsyncGenerator<Passage> {
  for await (const { element } of elementsOf(file)) {
    yield* element.contexts('positive_ctxs');
    yield* element.negatives();
    if (split === 'dev') yield* element.contexts('negative_ctxs');
  }
}
