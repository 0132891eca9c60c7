/** Zip and tar files put together byte by byte, as they should be or not. */
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';

export interface MadeEntry {
  name: string;
  /** A folder where absent. */
  content?: Uint8Array | string;
  /** What a zip says of it where that is not so. */
  crc?: number;
  /** What a tar file says of it where that is not so. */
  sizeBytes?: number;
}

const tarBlock = 512;

function tarHeader({ name, content, sizeBytes }: MadeEntry): Buffer {
  const header = Buffer.alloc(tarBlock);
  const octal = (value: number, at: number, length: number) =>
    header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  header.write(name, 0, 100);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(sizeBytes ?? Buffer.byteLength(content ?? ''), 124, 12);
  octal(0, 136, 12);
  header.write('        ', 148);
  header.write(content === undefined ? '5' : '0', 156);
  header.write('ustar\x0000', 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
}

export function tarOf(entries: Iterable<MadeEntry>, { packed = false } = {}): Buffer {
  const pieces: Buffer[] = [];
  for (const entry of entries) {
    const content = Buffer.from(entry.content ?? '');
    const padding = (tarBlock - (content.length % tarBlock)) % tarBlock;
    pieces.push(tarHeader(entry), content, Buffer.alloc(padding));
  }
  const tar = Buffer.concat([...pieces, Buffer.alloc(2 * tarBlock)]);
  return packed ? gzipSync(tar, { level: 1 }) : tar;
}

export function zipOf(entries: Iterable<MadeEntry>): Buffer {
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, crc } of entries) {
    const bytes = Buffer.from(content ?? '');
    const packed = deflateRawSync(bytes, { level: 1 });
    const fileName = Buffer.from(name);
    const facts = Buffer.alloc(26);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(8, 4);
    facts.writeUInt32LE(crc ?? crc32(bytes), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(bytes.length, 18);
    facts.writeUInt16LE(fileName.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, fileName, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), facts, rest, fileName);
    pieces.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const count = directory.length / 4;
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...pieces, central, end]);
}
