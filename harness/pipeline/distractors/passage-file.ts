/** A file of passages in an order of their own, one JSON object a line; memory is that of some of them. */
import { readFile, rm } from 'node:fs/promises';
import type { Passage } from '../../contracts.js';
import { jsonLines, stringMember } from '../../interchange/json-lines.js';
import { AtomicFile, writeWhole } from '../../store/atomic.js';

/** So many passages are put in order at once. */
const usualPartPassages = 1 << 16;
/** Text of a part that waits to be written. */
const largestWaiting = 1 << 16;

/**
 * Writes each passage at its place.
 * @param placed every place from 0 once, in any order
 * @param partPassages as many are held in memory at once
 */
export async function writePlaced(
  file: string,
  placed: AsyncIterable<{ place: number; passage: Passage }>,
  partPassages = usualPartPassages,
): Promise<void> {
  const parts = new Map<number, PartFile>();
  try {
    await writeWhole(file, async (target) => {
      for await (const { place, passage } of placed) {
        const number = Math.floor(place / partPassages);
        const part = parts.get(number) ?? new PartFile(`${file}.part-${number}`);
        parts.set(number, part);
        await part.add(place, passage);
      }
      for (const number of [...parts.keys()].sort((a, b) => a - b))
        await target.write(await parts.get(number)!.inOrder());
    });
  } finally {
    for (const part of parts.values()) await part.remove();
  }
}

export async function* readPassageFile(file: string): AsyncGenerator<Passage> {
  for await (const line of jsonLines(file, 'CACHE_INVALID')) {
    const member = (name: string) => stringMember(line, name, file, 'CACHE_INVALID');
    yield { passageId: member('passageId'), title: member('title'), text: member('text') };
  }
}

/** The passages of neighbouring places, as they come. */
class PartFile {
  #file: Promise<AtomicFile> | undefined;
  #waiting = '';

  constructor(readonly path: string) {}

  async add(place: number, { passageId, title, text }: Passage): Promise<void> {
    this.#waiting += `${place}\t${JSON.stringify({ passageId, title, text })}\n`;
    if (this.#waiting.length >= largestWaiting) await this.#flush();
  }

  async inOrder(): Promise<string> {
    await (await this.#flush()).commit();
    const lines = (await readFile(this.path, 'utf8')).split('\n').slice(0, -1);
    return lines
      .map((line) => ({ place: Number(line.slice(0, line.indexOf('\t'))), line }))
      .sort((a, b) => a.place - b.place)
      .map(({ line }) => `${line.slice(line.indexOf('\t') + 1)}\n`)
      .join('');
  }

  /** A whole one is no longer needed, and one that is not is gone with it. */
  async remove(): Promise<void> {
    await (await this.#file)?.abort();
    await rm(this.path, { force: true });
  }

  async #flush(): Promise<AtomicFile> {
    this.#file ??= AtomicFile.create(this.path);
    const file = await this.#file;
    await file.write(this.#waiting);
    this.#waiting = '';
    return file;
  }
}
