/** Text files written whole or not at all, packed where the name ends in .gz. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { DataFile } from '../contracts.js';
import { assertGoesOn } from '../interruption.js';
import { writeWhole } from '../store/atomic.js';

/** Pieces are gathered to about this many characters before they are written. */
const pieceLength = 1 << 20;

/** Writes the lines, each of which brings its own newline. @returns the file as a run record names it */
export async function writeLines(target: string, lines: Iterable<string>): Promise<DataFile> {
  return writeWhole(target, async (file) => {
    const hash = createHash('sha256');
    // A stream begins to read by itself: nothing is awaited between here and the loop, or an error would find no listener.
    const pieces = Readable.from(gathered(lines), { objectMode: true });
    const bytes = target.endsWith('.gz') ? pieces.compose(createGzip()) : pieces;
    for await (const chunk of bytes) {
      assertGoesOn();
      hash.update(chunk as Buffer);
      await file.write(chunk as Buffer);
    }
    return { name: path.basename(target), sizeBytes: file.sizeBytes, sha256: hash.digest('hex') };
  });
}

function* gathered(lines: Iterable<string>): Generator<Buffer> {
  let piece = '';
  for (const line of lines) {
    piece += line;
    if (piece.length < pieceLength) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  if (piece.length > 0) yield Buffer.from(piece);
}
