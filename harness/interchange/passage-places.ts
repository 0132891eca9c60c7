/**
 * Where each passage of a plain file stands, so that some of them are read without the others: a table of 8 bytes a passage, the
 * end of each in bytes, little-endian float64, behind the start of the first.
 */
import { isUtf8 } from 'node:buffer';
import type { FileHandle } from 'node:fs/promises';
import type { Passage } from '../contracts.js';
import { BenchError, damaged } from '../errors.js';
import { assertGoesOn } from '../interruption.js';
import { writeWhole } from '../store/atomic.js';
import { openPlain, readInto } from '../store/plain-file.js';
import { openText } from './text-blocks.js';

/** A plain file of passages and its table. */
export interface PlacedPassages {
  file: string;
  places: string;
  /** The passages of a part of the file. */
  passagesIn(text: string, file: string): Iterable<Passage>;
}

/** Places that are written, or looked at, at once. */
const windowPlaces = 1 << 16;
/** Passages are read together that stand so near to each other, */
const largestGapBytes = 1 << 16;
/** as long as that takes no more than this. */
const largestReadBytes = 1 << 20;

/** @param ends the start of the first passage, and the end of each @param told how far the file has been gone through, where that is far */
export function writePlaces(
  target: string,
  ends: AsyncIterable<number>,
  told: (doneBytes: number) => void = () => undefined,
): Promise<void> {
  return writeWhole(target, async (file) => {
    const waiting = new Float64Array(windowPlaces);
    let count = 0;
    for await (const end of ends) {
      waiting[count++] = end;
      if (count < windowPlaces) continue;
      await file.write(new Uint8Array(waiting.buffer));
      told(end);
      count = 0;
    }
    await file.write(new Uint8Array(waiting.buffer, 0, 8 * count));
  });
}

/**
 * @param ordinals places in the collection, from 0, ascending
 * @returns the passages there, in that order
 * @throws BenchError DATA_INVALID where none stands there, as it did when the table was made; PATH_INVALID where the file cannot be opened;
 *   CACHE_INVALID where the table has no place of one
 */
export async function* passagesAt(
  { file, places, passagesIn }: PlacedPassages,
  ordinals: Iterable<number>,
): AsyncGenerator<Passage> {
  const table = await PlaceTable.open(places);
  try {
    const texts = await openText(file);
    try {
      const { size } = await texts.stat();
      for await (const near of neighbours(ordinals, table)) {
        assertGoesOn();
        const last = near.at(-1)!;
        // A last newline that the file lacks is counted.
        if (last.end > size + 1) throw moved(file, last);
        const first = near[0]!.start;
        const bytes = Buffer.allocUnsafe(last.end - first);
        const read = await readInto(texts, bytes, first);
        for (const place of near) {
          const own = bytes.subarray(place.start - first, Math.min(place.end - first, read));
          yield passageIn(own, place, file, passagesIn);
        }
      }
    } finally {
      await texts.close();
    }
  } finally {
    await table.close();
  }
}

interface Place {
  ordinal: number;
  start: number;
  end: number;
}

/** Places in the groups in which they are read. */
async function* neighbours(ordinals: Iterable<number>, at: PlaceTable): AsyncGenerator<Place[]> {
  let near: Place[] = [];
  for (const ordinal of ordinals) {
    const place = await at.of(ordinal);
    const [first, last] = [near[0], near.at(-1)];
    const isNear =
      first &&
      last &&
      place.start >= last.end &&
      place.start - last.end <= largestGapBytes &&
      place.end - first.start <= largestReadBytes;
    if (!isNear && near.length > 0) {
      yield near;
      near = [];
    }
    near.push(place);
  }
  if (near.length > 0) yield near;
}

/** The table, of which one window is held. */
class PlaceTable {
  readonly #path: string;
  readonly #handle: FileHandle;
  #window = new Float64Array();
  #first = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async open(path: string): Promise<PlaceTable> {
    try {
      return new PlaceTable(path, await openPlain(path));
    } catch (cause) {
      throw damaged(path, 'cannot be read', cause);
    }
  }

  async of(ordinal: number): Promise<Place> {
    const isHeld = ordinal >= this.#first && ordinal + 1 < this.#first + this.#window.length;
    if (!isHeld) {
      const window = new Float64Array(windowPlaces);
      const read = await readInto(this.#handle, new Uint8Array(window.buffer), 8 * ordinal);
      this.#window = window.subarray(0, Math.floor(read / 8));
      this.#first = ordinal;
    }
    const at = ordinal - this.#first;
    const { [at]: start = Number.NaN, [at + 1]: end = Number.NaN } = this.#window;
    if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start < end)
      return { ordinal, start, end };
    throw damaged(this.#path, `has no place of passage ${ordinal + 1}`);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

function passageIn(
  bytes: Buffer,
  place: Place,
  file: string,
  passagesIn: PlacedPassages['passagesIn'],
): Passage {
  let cause: unknown;
  try {
    const found = isUtf8(bytes) ? [...passagesIn(bytes.toString(), file)] : [];
    if (found.length === 1) return found[0]!;
  } catch (error) {
    cause = error;
  }
  throw moved(file, place, cause);
}

function moved(file: string, { ordinal }: Place, cause?: unknown): BenchError {
  return new BenchError('DATA_INVALID', `${file}: passage ${ordinal + 1} no longer stands where it stood.`, {
    hint: 'Its file may have changed since it was opened: run again.',
    cause,
  });
}
