/**
 * Mutations of files: of their bytes, of text, of JSON, and within packed files. What a file holds is seen from its bytes, so
 * that a loader only has to give valid ones. All draws come from the stream: the same stream gives the same input.
 */
import { isUtf8 } from 'node:buffer';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Stream } from '../../harness/random.js';
import { mutateJson } from './json-mutations.js';
import type { Files } from './loader.js';

/** No mutation makes an input larger; growth of time with size has tests of its own. */
const largestBytes = 1 << 22;

const ints = [
  0,
  1,
  2,
  3,
  127,
  128,
  255,
  256,
  32767,
  65535,
  65536,
  1 << 20,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const longs = [
  0n,
  1n,
  255n,
  1n << 20n,
  1n << 31n,
  1n << 32n,
  1n << 53n,
  (1n << 63n) - 1n,
  1n << 63n,
  (1n << 64n) - 1n,
];
const floats = [0, -0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, 1e-45];

const words: readonly string[] = [
  ...[
    '\0',
    '\t',
    '\n',
    '\r',
    '\r\n',
    ' ',
    '"',
    '""',
    "'",
    ',',
    '\\',
    '[',
    ']',
    '{',
    '}',
    '<',
    '>',
    '#',
    '%',
    '=',
  ],
  ...['\u001b[31m', '\ufeff', '\u2028', '\u0085', '\u00a0', 'é', 'ß', '\u0130', '\u{1f600}', '\u0301'],
  ...[
    'NaN',
    'Infinity',
    '-Infinity',
    '1e999',
    '-1e999',
    '-0',
    '0x10',
    '1_000',
    '9007199254740993',
    '-1',
    '1e-400',
  ],
  ...[
    '__proto__',
    'constructor',
    'null',
    'true',
    '../../x',
    '/x',
    'a'.repeat(300),
    '(a+)+$',
    '9'.repeat(400),
  ],
];
const broken = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x80]];

/** One input: one of the valid ones with one of its files mutated, or gone. */
export function mutatedInput(valid: readonly Files[], random: Stream): { base: number; files: Files } {
  const base = random.integer(valid.length);
  const files = valid[base]!;
  const names = Object.keys(files);
  const name = random.choose(names);
  const { [name]: bytes, ...others } = files;
  if (names.length > 1 && random.integer(50) === 0) return { base, files: others };
  return { base, files: { ...others, [name]: mutated(Buffer.from(bytes!), random) } };
}

/** The bytes with a few mutations of what they are. */
export function mutated(bytes: Buffer, random: Stream): Buffer {
  const made = byContent(bytes, random);
  return made.length > largestBytes ? made.subarray(0, largestBytes) : made;
}

function byContent(bytes: Buffer, random: Stream): Buffer {
  if (random.integer(4) === 0) return several(bytes, random, mutateBytes);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    return gzipSync(byContent(gunzipSync(bytes), random), { level: 1 });
  }
  if (bytes.toString('latin1', 257, 262) === 'ustar') return mutateTar(bytes, random);
  if (isSafetensors(bytes)) return mutateSafetensors(bytes, random);
  if (bytes.length === 0 || !isUtf8(bytes)) return several(bytes, random, mutateBytes);
  const text = bytes.toString();
  if (/^\s*[[{]/.test(text) && random.integer(4) > 0) {
    const made = mutateJson(text, random) ?? mutateJsonLine(text, random);
    if (made !== undefined) return Buffer.from(made);
  }
  return several(bytes, random, mutateText);
}

function several(bytes: Buffer, random: Stream, once: (bytes: Buffer, random: Stream) => Buffer): Buffer {
  let made = bytes;
  do made = once(made, random);
  while (random.integer(2) === 0);
  return made;
}

/** A place, half of the time near the beginning, where headers are. */
function placeIn(length: number, random: Stream): number {
  const within = random.integer(2) === 0 ? Math.min(length, 64) : length;
  return within === 0 ? 0 : random.integer(within);
}

function span(length: number, random: Stream): [from: number, to: number] {
  const from = placeIn(length, random);
  const most = random.integer(4) === 0 ? length - from : Math.min(16, length - from);
  return [from, from + (most === 0 ? 0 : 1 + random.integer(most))];
}

const spliced = (bytes: Buffer, from: number, to: number, ...between: Uint8Array[]): Buffer =>
  Buffer.concat([bytes.subarray(0, from), ...between, bytes.subarray(to)]);

function mutateBytes(bytes: Buffer, random: Stream): Buffer {
  const at = placeIn(bytes.length, random);
  const [from, to] = span(bytes.length, random);
  switch (random.integer(11)) {
    case 0: // a bit flipped
      return patched(bytes, at, (copy) => copy.writeUInt8(copy[at]! ^ (1 << random.integer(8)), at), 1);
    case 1: // another byte
      return patched(bytes, at, (copy) => copy.writeUInt8(random.integer(256), at), 1);
    case 2: // cut short
      return bytes.subarray(0, random.integer(bytes.length + 1));
    case 3: // a span gone
      return spliced(bytes, from, to);
    case 4: // a span copied elsewhere
      return spliced(bytes, at, at, bytes.subarray(from, to));
    case 5: // a span over another
      return spliced(bytes, at, Math.min(bytes.length, at + to - from), bytes.subarray(from, to));
    case 6: // a length that lies, of 4 bytes, or of 8
      if (random.integer(2) === 0)
        return patched(bytes, at & ~3, (copy) => copy.writeUInt32LE(random.choose(ints), at & ~3), 4);
      return patched(bytes, at & ~7, (copy) => copy.writeBigUInt64LE(random.choose(longs), at & ~7), 8);
    case 7: // a number that is somewhat another
      return patched(
        bytes,
        at,
        (copy) => copy.writeUInt8((copy[at]! + 255 + 2 * random.integer(2)) & 255, at),
        1,
      );
    case 8: // a float that is none
      return patched(bytes, at & ~3, (copy) => copy.writeFloatLE(random.choose(floats), at & ~3), 4);
    case 9: // something behind the end
      return Buffer.concat([bytes, Buffer.alloc(1 + random.integer(64), random.integer(2) * 255)]);
    default: // a run of one byte
      return spliced(bytes, from, to, Buffer.alloc(to - from, random.integer(256)));
  }
}

/** A copy with a change of `width` bytes at a place; the bytes themselves where it does not fit. */
function patched(bytes: Buffer, at: number, change: (copy: Buffer) => void, width: number): Buffer {
  if (at + width > bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  change(copy);
  return copy;
}

function mutateText(bytes: Buffer, random: Stream): Buffer {
  const at = placeIn(bytes.length, random);
  const kind = random.integer(9);
  if (kind === 0) return spliced(bytes, at, at, Buffer.from(random.choose(broken)));
  if (kind === 1) return mutateBytes(bytes, random);
  if (kind === 2) return spliced(bytes, at, at, Buffer.from(random.choose(words)));
  if (kind === 3) {
    const [from, to] = span(bytes.length, random);
    const times = random.integer(20) === 0 ? 4000 : 1 + random.integer(8);
    return spliced(bytes, to, to, ...Array.from({ length: times }, () => bytes.subarray(from, to)));
  }
  const lines = bytes.toString().split('\n');
  const line = random.integer(lines.length);
  if (kind === 4) lines.splice(line, 1);
  else if (kind === 5) lines.splice(random.integer(lines.length + 1), 0, lines[line]!);
  else if (kind === 6) [lines[line], lines[0]] = [lines[0]!, lines[line]!];
  else lines[line] = mutateColumns(lines[line]!, random);
  return Buffer.from(lines.join('\n'));
}

function mutateColumns(line: string, random: Stream): string {
  // Columns, and what stands between them.
  const parts = line.split(/([\t ,]+)/);
  const at = random.integer(parts.length);
  const kind = random.integer(5);
  if (kind === 0) parts.splice(at, 1);
  else if (kind === 1) parts.splice(at, 0, parts[random.integer(parts.length)]!);
  else if (kind === 2) parts[at] = random.choose(['\t', ' ', '  ', ',', '']);
  else if (kind === 3) parts[at] = parts[random.integer(parts.length)]!;
  else parts[at] = random.choose(words);
  return parts.join('');
}

function mutateJsonLine(text: string, random: Stream): string | undefined {
  const lines = text.split('\n');
  const line = random.integer(lines.length);
  const made = mutateJson(lines[line]!, random);
  if (made === undefined) return undefined;
  lines[line] = made;
  return lines.join('\n');
}

function isSafetensors(bytes: Buffer): boolean {
  if (bytes.length < 10) return false;
  const length = bytes.readBigUInt64LE(0);
  return length <= BigInt(bytes.length - 8) && bytes[8] === 0x7b && bytes[9] === 0x22;
}

/** The header of another content, and of the length that it then has: what a check of the length alone lets through. */
function mutateSafetensors(bytes: Buffer, random: Stream): Buffer {
  const end = 8 + Number(bytes.readBigUInt64LE(0));
  const header = mutateJson(bytes.toString('utf8', 8, end), random);
  if (header === undefined) return several(bytes, random, mutateBytes);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), bytes.subarray(end)]);
}

/** A header of 512 bytes with another field and the checksum that it then has. */
function mutateTar(bytes: Buffer, random: Stream): Buffer {
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
