/** Mutations of what lies in files of a form of their own, with lengths and checksums put right. */
import type { Stream } from '../../harness/random.js';
import { mutateBytes, several } from './byte-mutations.js';
import { mutateJson } from './json-mutations.js';

export function isSafetensors(bytes: Buffer): boolean {
  if (bytes.length < 10) return false;
  const length = bytes.readBigUInt64LE(0);
  return length <= BigInt(bytes.length - 8) && bytes[8] === 0x7b && bytes[9] === 0x22;
}

/** The header of another content, and of the length that it then has: what a check of the length alone lets through. */
export function mutateSafetensors(bytes: Buffer, random: Stream): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = mutateJson(bytes.toString('utf8', 8, end), random);
  if (header === undefined) return several(bytes, random, mutateBytes);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), bytes.subarray(end)]);
}

/** A header of 512 bytes with another field and the checksum that it then has. */
export function mutateTar(bytes: Buffer, random: Stream): Buffer {
  const copy = Buffer.from(bytes);
  const headers: number[] = [];
  for (let at = 0; at + 512 <= copy.length; at += 512)
    if (copy.toString('latin1', at + 257, at + 262) === 'ustar') headers.push(at);
  const at = random.choose(headers);
  const [field, length] = random.choose([
    [0, 100],
    [100, 8],
    [124, 12],
    [136, 12],
    [156, 1],
    [157, 100],
    [345, 155],
  ] as const);
  const others = [
    'x',
    '../../x',
    '/x',
    'a/b',
    '',
    '.',
    '..',
    'a'.repeat(99),
    '77777777777',
    '00000000001',
    '\xff\xff',
  ];
  const kinds = ['0', '1', '2', '3', '4', '5', '6', '7', 'L', 'K', 'x', 'g', 'S', '\0'];
  copy.fill(0, at + field, at + field + length);
  copy.write(random.choose(length === 1 ? kinds : others), at + field, length, 'latin1');
  copy.fill(0x20, at + 148, at + 156);
  const sum = copy.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  return random.integer(3) === 0 ? mutateBytes(copy, random) : copy;
}
