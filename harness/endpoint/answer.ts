/** What a server answers to a request for vectors, read without trust: as many as were asked for, each in its place, all of one length. */
import { parseJson } from '../json.js';

/** Why an answer is of no use. */
export class AnswerFault extends Error {
  /** @param again whether another attempt may do better */
  constructor(
    message: string,
    readonly again: boolean,
  ) {
    super(message);
    this.name = 'AnswerFault';
  }
}

export interface Answer {
  /** [count, D], in the order of the texts, whatever that of the answer. */
  vectors: Float32Array;
  dimensions: number;
  /** The model that the server says it asked. */
  model: string | null;
}

/**
 * @param text the answer's body @param count texts that were sent
 * @param dimensions D; any where it is not known yet
 * @throws AnswerFault
 */
export function readAnswer(text: string, count: number, dimensions: number | undefined): Answer {
  const { data, model } = membersOf(text);
  if (!Array.isArray(data)) throw new AnswerFault(`it answered without "data": ${excerpt(text)}`, false);
  if (data.length !== count)
    throw new AnswerFault(`it answered with ${data.length} vectors to ${count} texts`, false);
  const inPlace = new Array<readonly unknown[] | undefined>(count);
  for (const item of data as readonly unknown[]) {
    const { index, embedding } = (item ?? {}) as { index?: unknown; embedding?: unknown };
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= count)
      throw new AnswerFault(`it answered with index ${shown(index)} among ${count} vectors`, false);
    if (inPlace[index as number] !== undefined)
      throw new AnswerFault(`it answered with index ${shown(index)} twice`, false);
    if (!Array.isArray(embedding))
      throw new AnswerFault(
        `it answered with ${typeof embedding === 'string' ? 'text' : shown(embedding)} for a vector`,
        false,
      );
    inPlace[index as number] = embedding;
  }
  const width = dimensions ?? inPlace[0]?.length ?? 0;
  if (width === 0 && count > 0) throw new AnswerFault('it answered with a vector without numbers', false);
  const vectors = new Float32Array(count * width);
  for (const [i, embedding] of inPlace.entries()) {
    if (embedding!.length !== width)
      throw new AnswerFault(
        `it answered with a vector of ${embedding!.length} dimensions where others have ${width}`,
        false,
      );
    for (const [d, value] of embedding!.entries()) {
      if (typeof value !== 'number' || !Number.isFinite(Math.fround(value)))
        throw new AnswerFault(`it answered with ${shown(value)} in vector ${i + 1}`, false);
      vectors[i * width + d] = value;
    }
  }
  return { vectors, dimensions: width, model: typeof model === 'string' ? model : null };
}

function membersOf(text: string): { data?: unknown; model?: unknown } {
  try {
    return (parseJson(text) ?? {}) as { data?: unknown; model?: unknown };
  } catch {
    // Python writes these where JSON has no word for them.
    const bare = /[[,:]\s*(NaN|-?Infinity)\b/.exec(text)?.[1];
    if (bare !== undefined) throw new AnswerFault(`it answered with ${bare} among its numbers`, false);
    throw new AnswerFault(`it answered with no JSON, or with half of it: ${excerpt(text)}`, true);
  }
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 60);

/** The beginning of a text, in one line. */
export const excerpt = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
};
