/** One reading of a collection, for all that look at its texts. */
import type { Dataset, Passage, PassageStream } from '../contracts.js';
import { BenchError } from '../errors.js';

export interface PassageReader {
  /** Whether no passage that is still to come is of interest. */
  readonly isDone: boolean;
  /** Places of all that is of interest in the collection; undefined where it is known by ids alone. */
  wanted(): Int32Array | undefined;
  /** @param ordinal place in the collection, from 0 */
  read(passage: Passage, ordinal: number): void;
}

/**
 * Reads no further than somebody wants, and nothing where nobody wants anything; nothing else than one wants where the
 * places are known and the collection can be read there.
 * @throws BenchError DATA_INVALID where other passages stand at these places
 */
export async function readPassages(
  dataset: Pick<Dataset, 'passages'>,
  readers: readonly PassageReader[],
): Promise<void> {
  const isDone = () => readers.every((reader) => reader.isDone);
  if (isDone()) return;
  const read = (passage: Passage, ordinal: number) => {
    for (const reader of readers) if (!reader.isDone) reader.read(passage, ordinal);
  };
  const passages = dataset.passages();
  const places = passages.at && placesOf(readers);
  if (passages.at !== undefined && places !== undefined) {
    let next = 0;
    for await (const passage of passages.at(places)) read(passage, places[next++]!);
    if (isDone()) return;
    throw new BenchError('DATA_INVALID', 'Other passages stand where those of the hits stood.', {
      hint: 'The files of the collection may have changed since it was indexed: run again.',
    });
  }
  let ordinal = 0;
  for await (const passage of passages) {
    read(passage, ordinal++);
    if (isDone()) return;
  }
}

/** What any of them wants, ascending, each place once; undefined where that of one is not known. */
function placesOf(readers: readonly PassageReader[]): Int32Array | undefined {
  const wanted = readers.map((reader) => reader.wanted());
  if (!wanted.every((own) => own !== undefined)) return undefined;
  const all = new Int32Array(wanted.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const own of wanted) {
    all.set(own, end);
    end += own.length;
  }
  return all.sort().filter((place, i) => place !== all[i - 1]);
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

/** The texts of some passages, found in one reading of the collection. @returns those that the collection has */
export async function passageTexts(
  dataset: Dataset,
  passageIds: ReadonlySet<string>,
): Promise<Map<string, Passage>> {
  const found = new Map<string, Passage>();
  if (passageIds.size === 0) return found;
  for await (const passage of dataset.passages()) {
    if (!passageIds.has(passage.passageId)) continue;
    found.set(passage.passageId, passage);
    if (found.size === passageIds.size) break;
  }
  return found;
}
