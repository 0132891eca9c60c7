/** The entries of an archive on their way to the disk: where each belongs, and whether all of them may come. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import { BenchError } from '../errors.js';
import { assertGoesOn } from '../interruption.js';

/** What may come out of an archive. */
export interface UnpackLimits {
  bytes: number;
  /** Bytes that come out per byte of the archive. */
  ratio: number;
}

/** An entry costs a header, and a place in a folder, whatever it holds. */
const entryBytes = 512;
/** Up to here nobody asks for the ratio: few bytes of white space are packed very well. */
const smallBytes = 1 << 26;

/** Takes the entries one after another. */
export class ArchiveEntries {
  readonly #archive: string;
  readonly #archiveBytes: number;
  readonly #folder: string;
  readonly #limits: UnpackLimits | undefined;
  readonly #kinds = new Map<string, 'file' | 'folder'>();
  #bytes = 0;

  /** @param limits absent where the archive is known to be the one that its publisher means */
  constructor(archive: string, archiveBytes: number, folder: string, limits: UnpackLimits | undefined) {
    this.#archive = archive;
    this.#archiveBytes = archiveBytes;
    this.#folder = path.resolve(folder);
    this.#limits = limits;
  }

  /** @throws BenchError DATA_INVALID */
  async folder(name: string): Promise<void> {
    const place = this.#placeOf(name);
    this.#count(entryBytes);
    this.#claim(place, name, 'folder');
    await mkdir(place, { recursive: true });
  }

  /**
   * @param sizeBytes as the archive says
   * @throws BenchError DATA_INVALID, INTERRUPTED; nothing is being written any more then
   */
  async file(
    name: string,
    sizeBytes: number,
    content: () => AsyncIterable<Uint8Array> | Promise<AsyncIterable<Uint8Array>>,
  ): Promise<void> {
    const place = this.#placeOf(name);
    // Before anything is written, by what the archive says of itself; then by what comes.
    this.#count(entryBytes + sizeBytes);
    this.#bytes -= sizeBytes;
    this.#claim(place, name, 'file');
    await mkdir(path.dirname(place), { recursive: true });
    let handle: FileHandle | undefined;
    try {
      handle = await open(place, 'wx');
      for await (const chunk of await content()) {
        assertGoesOn();
        this.#count(chunk.length);
        await handle.writeFile(chunk);
      }
    } finally {
      await handle?.close();
    }
  }

  /** An entry that is neither. */
  refuseKind(name: string, kind: string): never {
    throw new BenchError(
      'DATA_INVALID',
      `${this.#archive} holds ${JSON.stringify(name)}, which is neither a file nor a folder (${kind}).`,
      { hint: 'Nothing was unpacked. Unpack it by hand if you trust it, and give the folder with --data.' },
    );
  }

  #placeOf(name: string): string {
    const place = path.resolve(this.#folder, name);
    const inside = place === this.#folder || place.startsWith(this.#folder + path.sep);
    if (inside && !name.includes('\\') && !name.includes('\0') && !path.posix.isAbsolute(name)) return place;
    throw new BenchError(
      'DATA_INVALID',
      `${this.#archive} holds an entry that would lie outside its folder: ${JSON.stringify(name)}.`,
      {
        hint: 'No archive of a dataset does that. Nothing was unpacked; delete the archive, and ask where it came from.',
      },
    );
  }

  /** Notes what lies at a place and above it. */
  #claim(place: string, name: string, kind: 'file' | 'folder'): void {
    const known = this.#kinds.get(place);
    if (known === 'file' || (known === 'folder' && kind === 'file'))
      throw this.#contradiction(name, known === kind ? 'twice' : 'as a file and as a folder');
    this.#kinds.set(place, kind);
    for (let above = path.dirname(place); above.length > this.#folder.length; above = path.dirname(above)) {
      const there = this.#kinds.get(above);
      if (there === 'folder') break;
      if (there === 'file')
        throw this.#contradiction(path.relative(this.#folder, above), 'as a file and as a folder');
      this.#kinds.set(above, 'folder');
    }
  }

  #contradiction(name: string, how: string): BenchError {
    return new BenchError('DATA_INVALID', `${this.#archive} holds ${JSON.stringify(name)} ${how}.`, {
      hint: 'Nothing was unpacked. The archive is damaged, or was put together wrongly: fetch it again, or unpack it by hand and give the folder with --data.',
    });
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#limits === undefined) return;
    const { bytes: most, ratio } = this.#limits;
    const packed = Math.max(smallBytes, ratio * this.#archiveBytes);
    if (this.#bytes <= most && this.#bytes <= packed) return;
    const what =
      this.#bytes > most
        ? `more than ${most} bytes`
        : `more than ${ratio} times its ${this.#archiveBytes} bytes`;
    throw new BenchError(
      'DATA_INVALID',
      `${what[0]!.toUpperCase()}${what.slice(1)} come out of ${this.#archive}.`,
      {
        hint: 'It has no published hash, so nobody can say whether it is the right one. If you trust it, raise unpack.largestGiB or unpack.largestRatio in bench.config.json.',
      },
    );
  }
}
