/** The bytes of a page as they were before they were packed. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { snappyUncompress } from 'hyparquet';
import type { ZSTDDecoder } from 'zstddec';
import { ParquetFault } from './fault.js';

export const codecs = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'BROTLI', 'ZSTD'] as const;
export type Codec = (typeof codecs)[number];

/** Unpacks what each codec packed. */
export class Unpacker {
  #zstd: ZSTDDecoder | undefined;

  /** Loads what a codec needs. */
  async prepare(codec: Codec): Promise<void> {
    if (codec !== 'ZSTD' || this.#zstd !== undefined) return;
    const { ZSTDDecoder } = await import('zstddec');
    const decoder = new ZSTDDecoder();
    await decoder.init();
    this.#zstd = decoder;
  }

  /**
   * @param size of the bytes, which whoever calls has found to be bearable
   * @returns bytes with a buffer of their own
   * @throws ParquetFault where they do not unpack to so many
   */
  unpack(packed: Uint8Array, codec: Codec, size: number): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = size === 0 ? new Uint8Array() : this.#unpack(packed, codec, size);
    } catch (cause) {
      if (cause instanceof ParquetFault) throw cause;
      throw new ParquetFault(`a page does not unpack (${codec}): ${(cause as Error).message}`, cause);
    }
    if (bytes.length !== size)
      throw new ParquetFault(`a page unpacks to ${bytes.length} bytes, and its header says ${size}`);
    return bytes.buffer.byteLength === size ? bytes : bytes.slice();
  }

  #unpack(packed: Uint8Array, codec: Codec, size: number): Uint8Array {
    if (codec === 'UNCOMPRESSED') return packed;
    if (codec === 'GZIP') return gunzipSync(packed, { maxOutputLength: size });
    if (codec === 'BROTLI') return brotliDecompressSync(packed, { maxOutputLength: size });
    if (codec === 'ZSTD') return this.#zstd!.decode(packed, size);
    checkSnappy(packed, size);
    const bytes = new Uint8Array(size);
    snappyUncompress(packed, bytes);
    return bytes;
  }
}

/**
 * Goes through the lengths of Snappy's elements, which its decoder believes: one of more than 2^31 bytes leads it back.
 * https://github.com/google/snappy/blob/main/format_description.txt
 */
function checkSnappy(packed: Uint8Array, size: number): void {
  const fault = (what: string) => new ParquetFault(`a page does not unpack (SNAPPY): ${what}`);
  let at = 0;
  while (at < packed.length && packed[at]! >= 0x80) at++;
  at++;
  let made = 0;
  while (at < packed.length) {
    const tag = packed[at++]!;
    const kind = tag & 3;
    if (kind !== 0) {
      made += kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
      at += kind === 3 ? 4 : kind;
    } else {
      const more = Math.max(0, (tag >> 2) - 59);
      let length = more === 0 ? tag >> 2 : 0;
      for (let i = 0; i < more; i++) length += (packed[at + i] ?? 0) * 256 ** i;
      at += more + length + 1;
      made += length + 1;
    }
    if (made > size) throw fault(`more comes than ${size} bytes`);
  }
  if (at !== packed.length) throw fault('it ends in the middle of an element');
}
