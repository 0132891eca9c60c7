/** Mutations of text: of its lines and columns, with what a text should not hold. */
import type { Stream } from '../../harness/random.js';
import { mutateBytes, placeIn, span, spliced } from './byte-mutations.js';

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

export function mutateText(bytes: Buffer, random: Stream): Buffer {
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
