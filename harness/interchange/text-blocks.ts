/** Text files as blocks of whole lines: plain or gzip, checked for what no text file holds. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { closing } from '../closing.js';
import { BenchError, type ErrorCode, unreadable } from '../errors.js';
import { assertGoesOn } from '../interruption.js';
import { openPlain } from '../store/plain-file.js';

export interface TextBlock {
  /** Whole lines; every one ends with a newline, the last of the file too. */
  text: string;
  /** Number of the block's first line, from 1. */
  firstLine: number;
  /** Bytes of the file before it; absent where the file is packed. */
  firstByte?: number;
  /** What it takes in the file: a byte order mark too, and a last newline that the file lacks. */
  sizeBytes: number;
}

/** Where a block of a plain file began that was read before: reading can begin there. */
export interface TextStart {
  /** Bytes before it. */
  byte: number;
  /** From 1. */
  line: number;
}

const newline = 10;
/** No line of a run comes near this; a file that has such a line is something else, and must not fill the memory. */
const longestLineBytes = 1 << 24;

/**
 * Reads a text file in blocks of about a MiB. gzip is known by its first bytes, whatever the file is called. A byte
 * order mark is skipped.
 * @param code of the errors about what the file holds
 * @param start where to begin; at the beginning of the file where absent
 * @throws BenchError PATH_INVALID where it cannot be opened; `code` for a damaged gzip file, a NUL byte, invalid UTF-8, and where no
 *   line begins at `start`
 */
export async function* textBlocks(
  file: string,
  code: ErrorCode,
  start: TextStart = { byte: 0, line: 1 },
): AsyncGenerator<TextBlock> {
  let firstLine = start.line;
  let firstByte = start.byte;
  const { isPacked, bytes: chunks } = await openBytes(file, code, start.byte);
  // Of a line whose end has not come: put together once, when it has, so that no byte is copied or looked at again.
  let pieces: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    assertGoesOn();
    const end = chunk.lastIndexOf(newline) + 1;
    if (end > 0) {
      const whole = chunk.subarray(0, end);
      const bytes = length === 0 ? whole : Buffer.concat([...pieces, whole]);
      const text = decode(bytes, firstLine, firstByte === 0, file, code);
      yield { text, firstLine, sizeBytes: bytes.length, ...(!isPacked && { firstByte }) };
      firstByte += bytes.length;
      firstLine += lineCount(bytes, bytes.length);
      pieces = [];
      length = 0;
    }
    if (end === chunk.length) continue;
    pieces.push(chunk.subarray(end));
    length += chunk.length - end;
    if (length > longestLineBytes) {
      throw new BenchError(code, `${file}, line ${firstLine}: longer than ${longestLineBytes} bytes.`, {
        hint: 'This is no file of lines and columns.',
      });
    }
  }
  if (length === 0) return;
  const bytes = Buffer.concat([...pieces, Buffer.from('\n')]);
  const text = decode(bytes, firstLine, firstByte === 0, file, code);
  yield { text, firstLine, sizeBytes: bytes.length, ...(!isPacked && { firstByte }) };
}

/**
 * The bytes of a file in chunks of about a MiB, unpacked where it is gzip, which is known by its first bytes.
 * @throws BenchError PATH_INVALID; `code` for a damaged gzip file; INTERRUPTED between two chunks
 */
export async function* fileBytes(file: string, code: ErrorCode): AsyncGenerator<Buffer> {
  for await (const chunk of (await openBytes(file, code)).bytes) {
    assertGoesOn();
    yield chunk;
  }
}

/** White space is passed over up to here: what has more of it at its beginning holds nothing that is read. */
const longestBlank = 1 << 20;

/**
 * How a file begins: 4096 characters from the first on that is no white space; '' where there is none.
 * @throws BenchError PATH_INVALID; `code` for a damaged gzip file, and for a MiB of nothing but white space
 */
export async function beginningOf(file: string, code: ErrorCode): Promise<string> {
  let passed = 0;
  for await (const chunk of fileBytes(file, code)) {
    const text = chunk.toString('utf8');
    // The byte order mark is white space here.
    const at = text.search(/\S/);
    if (at >= 0) return text.slice(at, at + 4096);
    passed += chunk.length;
    if (passed < longestBlank) continue;
    throw new BenchError(code, `${file} begins with ${passed} bytes of white space.`, {
      hint: 'This is no file of hits, queries or passages. Was it overwritten?',
    });
  }
  return '';
}

/** Whether it is gzip, by its first bytes. @throws BenchError PATH_INVALID where it cannot be opened */
export async function isPacked(file: string): Promise<boolean> {
  return closing(await openText(file), async (handle) => {
    return await beginsPacked(handle);
  });
}

/** A file of text, to be read in parts. @throws BenchError PATH_INVALID where it cannot be opened */
export async function openText(file: string): Promise<FileHandle> {
  try {
    return await openPlain(file);
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function beginsPacked(handle: FileHandle): Promise<boolean> {
  const magic = Buffer.alloc(2);
  await handle.read(magic, 0, 2, 0);
  return magic[0] === 0x1f && magic[1] === 0x8b;
}

async function openBytes(
  file: string,
  code: ErrorCode,
  start = 0,
): Promise<{ isPacked: boolean; bytes: AsyncIterable<Buffer> }> {
  let handle: FileHandle | undefined;
  try {
    handle = await openPlain(file);
    const isPacked = await beginsPacked(handle);
    if (start > 0) await assertLineAt(start, isPacked, handle, file, code);
    const source = createReadStream(file, { fd: handle, start, highWaterMark: 1 << 20 });
    return { isPacked, bytes: isPacked ? unpacked(source, file, code) : plain(source, file) };
  } catch (cause) {
    await handle?.close();
    throw unreadable(file, cause);
  }
}

async function assertLineAt(
  start: number,
  isPacked: boolean,
  handle: FileHandle,
  file: string,
  code: ErrorCode,
): Promise<void> {
  const before = Buffer.alloc(1);
  await handle.read(before, 0, 1, start - 1);
  if (!isPacked && before[0] === newline) return;
  throw new BenchError(code, `${file}: no line begins behind ${start} bytes, where one began before.`, {
    hint: 'Its file may have changed since it was opened: run again.',
  });
}

async function* plain(source: Readable, file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) yield chunk as Buffer;
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

async function* unpacked(source: Readable, file: string, code: ErrorCode): AsyncGenerator<Buffer> {
  // An error of either stream comes out of the loop below.
  const gunzip = pipeline(source, createGunzip({ chunkSize: 1 << 20 }), () => undefined);
  try {
    for await (const chunk of gunzip) yield chunk as Buffer;
  } catch (cause) {
    throw new BenchError(code, `${file} is a damaged gzip file: ${(cause as Error).message}.`, {
      hint: 'Was it cut short? Fetch or write it again.',
      cause,
    });
  }
}

function decode(bytes: Buffer, firstLine: number, first: boolean, file: string, code: ErrorCode): string {
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    throw new BenchError(code, `${file}, line ${firstLine + lineCount(bytes, nul)}: a NUL byte.`, {
      hint: 'This is no text file, or it is UTF-16: write it as UTF-8.',
    });
  }
  if (!isUtf8(bytes)) {
    throw new BenchError(code, `${file}, line ${firstLine + firstInvalidLine(bytes)}: not valid UTF-8.`, {
      hint: 'Write the file as UTF-8.',
    });
  }
  const mark = first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes.toString('utf8', mark);
}

/** How many lines end before `end`. */
function lineCount(bytes: Buffer, end: number): number {
  let count = 0;
  for (let at = bytes.indexOf(newline); at >= 0 && at < end; at = bytes.indexOf(newline, at + 1)) count++;
  return count;
}

/** The first line that is not valid, from 0; lines can be looked at apart because no multi-byte sequence holds a newline. */
function firstInvalidLine(bytes: Buffer): number {
  let line = 0;
  for (let start = 0; start < bytes.length; line++) {
    const end = bytes.indexOf(newline, start) + 1;
    if (end === 0 || !isUtf8(bytes.subarray(start, end))) break;
    start = end;
  }
  return line;
}
