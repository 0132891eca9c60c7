/** One reading of a collection, for all that look at its texts. */
import type { Dataset, Passage, PassageStream } from '../contracts.js';

export interface PassageReader {
  /** Whether no passage that is still to come is of interest. */
  readonly isDone: boolean;
  /** @param ordinal place in the collection, from 0 */
  read(passage: Passage, ordinal: number): void;
}

/** Reads no further than somebody wants, and nothing where nobody wants anything. */
export async function readPassages(
  dataset: Pick<Dataset, 'passages'>,
  readers: readonly PassageReader[],
): Promise<void> {
  const isDone = () => readers.every((reader) => reader.isDone);
  if (isDone()) return;
  let ordinal = 0;
  for await (const passage of dataset.passages()) {
    for (const reader of readers) if (!reader.isDone) reader.read(passage, ordinal);
    ordinal++;
    if (isDone()) return;
  }
}

/** The passages from one on. @param ordinal its place in the collection, from 0 */
export async function* passagesFrom(passages: PassageStream, ordinal: number): AsyncGenerator<Passage> {
  if (passages.from !== undefined) {
    yield* passages.from(ordinal);
    return;
  }
  let passed = 0;
  for await (const passage of passages) if (passed++ >= ordinal) yield passage;
}
