/** Readers of quoted columns, Python lists, JSON arrays and JSON lines: against Python's own reading, and on what is broken. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { BenchError } from '../harness/errors.js';
import { inspect } from '../harness/interchange/inspection.js';
import { jsonArray } from '../harness/interchange/json-array.js';
import { jsonLines, stringMember } from '../harness/interchange/json-lines.js';
import { PythonListError, parsePythonStrings } from '../harness/interchange/python-list.js';
import { quotedRows } from '../harness/interchange/quoted-columns.js';
import { removeClosed } from './open-files.js';
import { inFixtures } from './places.js';

const code = 'DATA_INVALID';
const fixture = inFixtures('interchange/python.json');
const python = JSON.parse(readFileSync(fixture, 'utf8')) as {
  literals: { text: string; strings: string[] }[];
  written: { text: string; rows: string[][] };
  sloppy: { text: string; rows: string[][] };
};

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-readers-'));
});
after(() => removeClosed(folder));

async function write(content: string | Buffer, name = 'file'): Promise<string> {
  const file = path.join(folder, name);
  await writeFile(file, content);
  return file;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function refused(items: AsyncIterable<unknown>, ...patterns: RegExp[]): Promise<void> {
  await assert.rejects(collect(items), (error) => {
    assert.ok(error instanceof BenchError, String(error));
    assert.equal(error.code, code);
    for (const pattern of patterns) assert.match(error.message, pattern);
    return true;
  });
}

describe('Python lists', () => {
  test(`${python.literals.length} literals give what Python gives`, () => {
    assert.ok(python.literals.length > 100);
    for (const { text, strings } of python.literals)
      assert.deepEqual(parsePythonStrings(text), strings, text);
  });

  for (const [text, position] of [
    ['', 0],
    ['x', 0],
    ['["a"', 4],
    ["['a", 3],
    ["['a' 3]", 5],
    ['[a]', 1],
    ['["a"] x', 6],
    ['["a",,]', 5],
    ['["\\U00110000"]', 3],
    ['["\\U00110000', 3],
    ['["a\\', 4],
    ['[__import__("os")]', 1],
  ] as const) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parsePythonStrings(text),
        (error) => error instanceof PythonListError && error.position === position,
      );
    });
  }
});

describe('quoted columns', () => {
  const rowsOf = async (content: string | Buffer) => collect(quotedRows(await write(content), code));

  for (const [name, text] of [
    ['rows that csv.writer wrote', python.written],
    ['rows of a careless hand', python.sloppy],
  ] as const) {
    test(`${name} are read as csv.reader reads them`, async () => {
      assert.ok(text.rows.length >= 3);
      const read = (await rowsOf(text.text)).map(({ columns }) => columns);
      assert.deepEqual(read, text.rows);
      const packed = (await rowsOf(gzipSync(text.text))).map(({ columns }) => columns);
      assert.deepEqual(packed, text.rows);
    });
  }

  test('rows longer than a block, with a quote on its edge, keep their line numbers', async () => {
    const long = 'x'.repeat((1 << 20) - 3);
    const content = `1\t"${long}"\tone\n2\t"a\n""b""\n"\ttwo\n3\t"${long}${long}"\tthree\r\n`;
    const rows = await rowsOf(content);
    assert.deepEqual(
      rows.map(({ line, columns }) => [line, columns.length, columns[1]!.length, columns[2]]),
      [
        [1, 3, long.length, 'one'],
        [2, 3, 'a\n"b"\n'.length, 'two'],
        [5, 3, 2 * long.length, 'three'],
      ],
    );
  });

  test('a byte order mark, an empty line and a missing last newline do no harm', async () => {
    const rows = await rowsOf('\uFEFFid\ttext\r\n\r\n\n1\t""');
    assert.deepEqual(rows, [
      { columns: ['id', 'text'], line: 1, start: { byte: 0, line: 1 } },
      { columns: ['1', ''], line: 4, start: { byte: 15, line: 4 } },
    ]);
  });

  test('a quote that never closes is named with the line where it opens', async () => {
    await refused(quotedRows(await write('1\ta\n2\t"open\n3\tc\n'), code), /line 2/, /not closed/);
  });
});

describe('JSON arrays', () => {
  const values = [
    { a: 'brackets ] } { [ , in a string', b: ['\\', '"', '\\"', '\\\\'] },
    [],
    'text, with a comma',
    -1.5e3,
    null,
    [[{ deep: [1, [2]] }]],
    { unicode: 'é漢😀\u2028' },
    'x'.repeat((1 << 20) + 7),
    true,
  ];

  for (const [name, text] of [
    ['compact', JSON.stringify(values)],
    ['indented', JSON.stringify(values, null, 4)],
    ['with a byte order mark and space around', `\uFEFF \r\n ${JSON.stringify(values, null, 1)} \n`],
  ] as const) {
    test(`${name}: the elements of JSON.parse, plain and packed`, async () => {
      for (const content of [text, gzipSync(text)]) {
        const read = await collect(jsonArray(await write(content), code));
        assert.deepEqual(
          read.map(({ value }) => value),
          values,
        );
        assert.deepEqual(
          read.map(({ index }) => index),
          values.map((_, i) => i),
        );
      }
    });
  }

  test('lines are those on which elements begin', async () => {
    const read = await collect(jsonArray(await write('[\n{\n"a": 1\n},\n\n2,\n3]\n'), code));
    assert.deepEqual(
      read.map(({ line }) => line),
      [2, 6, 7],
    );
  });

  test('an empty array has no elements', async () => {
    assert.deepEqual(await collect(jsonArray(await write(' [ ] '), code)), []);
  });

  for (const [name, content, patterns] of [
    ['cut inside a string', '[{"a": "b', [/element 1/, /ends in the middle/]],
    ['cut between elements', '[{"a": 1},\n{"b": 2}', [/line 2/, /element 2/]],
    ['cut after a comma', '[1,', [/element 2/, /ends in the middle/]],
    ['an element that is no JSON', '[1,\n{"a": b}]', [/line 2/, /element 2/, /not JSON/]],
    ['a comma too many', '[1,,2]', [/element 2/, /missing/]],
    ['a comma at the end', '[1,]', [/element 2/, /missing/]],
    ['an object', '{"data": []}', [/begins with "\{"/]],
    ['nothing', '', [/empty/]],
    ['something behind the end', '[1] x', [/follows the end/]],
    ['a gzip file cut short', gzipSync(`[${'1234567,'.repeat(9000)}1]`).subarray(0, -12), [/damaged gzip/]],
    ['invalid UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), [/element 1/, /UTF-8/]],
  ] as const) {
    test(`refuses ${name}`, async () => refused(jsonArray(await write(content), code), ...patterns));
  }
});

describe('JSON lines', () => {
  test('empty lines, CRLF and a byte order mark do no harm; lines are counted', async () => {
    const read = await collect(jsonLines(await write('\uFEFF{"a":1}\r\n\n{"a":2}'), code));
    assert.deepEqual(read, [
      { value: { a: 1 }, line: 1, text: '{"a":1}', start: { byte: 0, line: 1 } },
      // Its newline is missing, and so it is a block of its own, behind the byte order mark and ten bytes more.
      { value: { a: 2 }, line: 3, text: '{"a":2}', start: { byte: 13, line: 3 } },
    ]);
  });

  for (const [name, content, pattern] of [
    ['a line cut short', '{"a":1}\n{"a":', /line 2: not JSON/],
    ['a list', '[1]', /line 1: \[1\] is no JSON object/],
    ['null', 'null', /line 1/],
    ['a NUL byte', '{"a":1}\n{"a":\u00002}\n', /line 2: a NUL byte/],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"a":1}\n"'), Buffer.from([0xc3, 0x28])]),
      /line 2: not valid UTF-8/,
    ],
  ] as const) {
    test(`refuses ${name}`, async () => refused(jsonLines(await write(content), code), pattern));
  }

  test('a member that has to be a string', () => {
    const text = '{"id": 12, "gone": null, "text": ""}';
    const row = { value: JSON.parse(text) as Record<string, unknown>, line: 7, text };
    assert.equal(stringMember(row, 'text', 'f', code), '');
    assert.equal(stringMember(row, 'gone', 'f', code, 'x'), 'x');
    assert.throws(() => stringMember(row, 'id', 'f', code), /line 7: id is 12/);
    assert.throws(() => stringMember(row, 'other', 'f', code), /other is missing/);
  });
});

describe('inspection', () => {
  const of = (ids: readonly string[]) =>
    async function* () {
      for (const [i, passageId] of ids.entries()) yield { passageId, place: i + 1 };
    };
  const where = (place: string | number) => `line ${place}`;

  test('counts, and says which judged ids are not there', async () => {
    const ids = Array.from({ length: 20_000 }, (_, i) => String(i));
    const found = await inspect(of(ids), new Set(['0', '19999', '20000', 'x']), where);
    assert.deepEqual(found, { passageCount: 20_000, absent: ['20000', 'x'], starts: [] });
    assert.deepEqual(await inspect(of([]), new Set(), where), { passageCount: 0, absent: [], starts: [] });
  });

  test('names both places of an id that comes twice', async () => {
    const ids = Array.from({ length: 9000 }, (_, i) => `p${i}`);
    ids[8123] = 'p17';
    await assert.rejects(inspect(of(ids), new Set(), where), /'p17': line 18 and line 8124/);
  });
});
