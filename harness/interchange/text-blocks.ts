/** Text files as blocks of whole lines: plain or gzip, checked for what no text file holds. */
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { BenchError, type ErrorCode } from '../errors.js';

export interface TextBlock {
  /** Whole lines; every one ends with a newline, the last of the file too. */
  text: string;
  /** Number of the block's first line, from 1. */
  firstLine: number;
}

const newline = 10;
/** No line of a run comes near this; a file that has such a line is something else, and must not fill the memory. */
const longestLineBytes = 1 << 24;

/**
 * Reads a text file in blocks of about a MiB. gzip is known by its first bytes, whatever the file is called. A byte
 * order mark is skipped.
 * @param code of the errors about what the file holds
 * @throws BenchError PATH_INVALID where it cannot be opened; `code` for a damaged gzip file, a NUL byte, invalid UTF-8
 */
export async function* textBlocks(file: string, code: ErrorCode): AsyncGenerator<TextBlock> {
  let firstLine = 1;
  let rest: Buffer = Buffer.alloc(0);
  let first = true;
  for await (const chunk of await openBytes(file, code)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(newline) + 1;
    rest = bytes.subarray(end);
    if (rest.length > longestLineBytes) {
      const line = firstLine + lineCount(bytes, end);
      throw new BenchError(code, `${file}, line ${line}: longer than ${longestLineBytes} bytes.`, {
        hint: 'This is no file of lines and columns.',
      });
    }
    if (end === 0) continue;
    const block = decode(bytes.subarray(0, end), firstLine, first, file, code);
    yield block;
    first = false;
    firstLine += lineCount(bytes, end);
  }
  if (rest.length > 0) {
    yield decode(Buffer.concat([rest, Buffer.from('\n')]), firstLine, first, file, code);
  }
}

/** The bytes of a file in chunks of about a MiB, unpacked where it is gzip, which is known by its first bytes. */
export async function* fileBytes(file: string, code: ErrorCode): AsyncGenerator<Buffer> {
  yield* await openBytes(file, code);
}

async function openBytes(file: string, code: ErrorCode): Promise<AsyncIterable<Buffer>> {
  const handle = await openFile(file);
  const magic = Buffer.alloc(2);
  await handle.read(magic, 0, 2, 0);
  const source = createReadStream(file, { fd: handle, start: 0, highWaterMark: 1 << 20 });
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return source;
  return unpacked(source, file, code);
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

async function openFile(file: string): Promise<FileHandle> {
  try {
    const handle = await open(file, 'r');
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
  } catch (cause) {
    throw new BenchError('PATH_INVALID', `${file} cannot be read: ${(cause as Error).message}.`, { cause });
  }
  throw new BenchError('PATH_INVALID', `${file} is not a file.`);
}

function decode(bytes: Buffer, firstLine: number, first: boolean, file: string, code: ErrorCode): TextBlock {
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
  return { text: bytes.toString('utf8', mark), firstLine };
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
