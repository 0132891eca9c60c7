/** Readers at the first and last of what they take: columns, lengths, numbers, counts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eachLine, Line } from '../harness/interchange/columns.js';
import { assertQueryId, assertWritable } from '../harness/interchange/identifiers.js';
import { namesPositives, readNegatives, writeNegatives } from '../harness/interchange/negatives.js';
import { readSlices } from '../harness/interchange/slices.js';
import { beginningOf, textBlocks } from '../harness/interchange/text-blocks.js';
import { kindOfNumbers } from '../harness/interchange/third-column.js';
import { idOfNumber, writtenNumber } from '../harness/interchange/written-number.js';
import { writtenFiles } from './written-files.js';

const { fileOf, folder } = writtenFiles('strata-bounds-');
const code = 'DATA_INVALID';
const refused = (work: Promise<unknown>, message: RegExp) => assert.rejects(work, { code, message });

function lineOf(text: string): Line {
  const line = new Line('file', code);
  assert.equal(line.cut(`${text}\nnext`, 0), text.length + 1);
  return line;
}

test('a line is cut at every character up to the blank, and sixteen columns are counted', () => {
  const columns = (text: string) => {
    const line = lineOf(text);
    return Array.from({ length: line.count }, (_, i) => line.column(i));
  };
  assert.deepEqual(columns(''), []);
  assert.deepEqual(columns(' \t\r'), []);
  assert.deepEqual(columns('a'), ['a']);
  assert.deepEqual(columns(' \ta\u0001b c\r'), ['a', 'b', 'c']);
  assert.deepEqual(columns('a!b'), ['a!b']);
  const many = (count: number) => Array.from({ length: count }, (_, i) => `c${i}`);
  for (const count of [15, 16]) assert.deepEqual(columns(many(count).join(' ')), many(count));
  assert.deepEqual(columns(many(17).join(' ')), many(16));
  assert.deepEqual(
    [lineOf('a\tb c').isMixed, lineOf('a\tb\tc').isMixed, lineOf('a b c').isMixed],
    [true, false, false],
  );
  // What stands before the first column and behind the last tells nothing.
  assert.deepEqual([lineOf(' a\tb').isMixed, lineOf('a\tb ').isMixed], [false, false]);
  assert.deepEqual(
    [lineOf('#a').isComment, lineOf(' # a').isComment, lineOf('a #').isComment],
    [true, true, false],
  );
  const line = lineOf('ab abc');
  assert.deepEqual(
    [line.holds(0, 'ab'), line.holds(0, 'a'), line.holds(1, 'ab'), line.holds(1, 'abd')],
    [true, false, false, false],
  );
});

test('numbers of a column: decimals as written, whole ones up to 2^53, grades as fractions of nothing', () => {
  const decimal = (text: string) => lineOf(text).decimalIfAny(0);
  assert.deepEqual(['1', '-1.5', '+.5', '2.', '1e3', '1E-2'].map(decimal), [1, -1.5, 0.5, 2, 1000, 0.01]);
  for (const text of ['x', '1x', '.', '1e', '0x10', 'NaN', 'Infinity', '1e999', '-', '1,5'])
    assert.equal(decimal(text), undefined, text);
  assert.throws(() => lineOf('x').decimal(0, 'score'), {
    code,
    message: "file, line 1: score 'x' is not a number.",
  });
  const whole = (text: string) => lineOf(text).whole(0, 'rank');
  assert.deepEqual(['0', '-3', '+7', '9007199254740991'].map(whole), [0, -3, 7, 2 ** 53 - 1]);
  for (const text of ['1.0', '9007199254740992', '', 'x', '1e3'])
    assert.throws(() => whole(text === '' ? '-' : text), { code }, text);
  const grade = (text: string) => lineOf(text).grade(0, 'relevance');
  assert.deepEqual(['1', '1.', '2.00', '-1.0'].map(grade), [1, 1, 2, -1]);
  for (const text of ['1.5', '1.01', '9007199254740992.0']) assert.throws(() => grade(text), { code }, text);
});

test('lines are counted across blocks, comments and empty ones passed over', async () => {
  const seen: [number, string][] = [];
  const text = `# first\n\n  \na 1\r\n${'b 2\n'.repeat(300_000)}c 3`;
  const taken = await eachLine(fileOf(text), code, (line) => {
    if (line.holds(0, 'b')) return;
    seen.push([line.number, line.column(0)]);
  });
  assert.equal(taken, 300_002);
  assert.deepEqual(seen, [
    [4, 'a'],
    [300_005, 'c'],
  ]);
});

test('a line may be of 16 MiB, and no longer; of a longer one the number is told', async () => {
  const linesOf = async (file: string) => {
    let lines = 0;
    for await (const { text } of textBlocks(file, code)) lines += text.split('\n').length - 1;
    return lines;
  };
  const most = 1 << 24;
  assert.equal(await linesOf(fileOf(`a\n${'x'.repeat(most)}`)), 2);
  await refused(linesOf(fileOf(`a\n${'x'.repeat(most + 1)}`)), /line 2: longer than 16777216 bytes/);
  assert.equal(await linesOf(fileOf('')), 0);
  assert.equal(await linesOf(fileOf('\n')), 1);
});

test('what is no text is named by its line, in later blocks too, and a byte order mark is passed over at the beginning alone', async () => {
  const read = async (bytes: Uint8Array | string) => {
    let text = '';
    for await (const block of textBlocks(fileOf(bytes), code)) text += block.text;
    return text;
  };
  const mark = Buffer.of(0xef, 0xbb, 0xbf);
  assert.equal(await read(Buffer.concat([mark, Buffer.from('a\n'), mark, Buffer.from('b')])), 'a\n\ufeffb\n');
  assert.equal(
    await read(Buffer.of(0xef, 0xbb)).catch((error: Error) => error.message.replace(/^.*, /, '')),
    'line 1: not valid UTF-8.',
  );
  await refused(read('a\nb\0c\n'), /line 2: a NUL byte/);
  await refused(
    read(Buffer.concat([Buffer.from('a\nb\n'), Buffer.of(0xff), Buffer.from('\nc')])),
    /line 3: not valid UTF-8/,
  );
  const long = 'a line of text\n'.repeat(200_000);
  await refused(read(`${long}\0`), /line 200001: a NUL byte/);
  await refused(
    read(Buffer.concat([Buffer.from(long), Buffer.of(0xc3, 0x28)])),
    /line 200001: not valid UTF-8/,
  );
  assert.equal(await read(gzipSync('a\nb')), 'a\nb\n');
});

test('a beginning is 4096 characters behind less than a MiB of white space', async () => {
  assert.equal(await beginningOf(fileOf(' \n\t{"a": 1}'), code), '{"a": 1}');
  assert.equal(await beginningOf(fileOf('x'.repeat(5000)), code), 'x'.repeat(4096));
  assert.equal(await beginningOf(fileOf(''), code), '');
  assert.equal(await beginningOf(fileOf(' '.repeat(2 ** 20 - 1)), code), '');
  await refused(beginningOf(fileOf(' '.repeat(2 ** 20)), code), /begins with 1048576 bytes of white space/);
});

test('ids have one character at least, none of them up to the blank, and a query no # before them', () => {
  const writable = (id: string) => assertWritable(id, () => 'The id');
  for (const id of ['a', '!', '#', '\u007f', '\u00a0', 'é']) writable(id);
  for (const id of ['', ' ', 'a b', 'a\n', '\0', 'a\u001f'])
    assert.throws(() => writable(id), { code }, JSON.stringify(id));
  assertQueryId('a#', () => 'The id');
  for (const id of ['#', '#a', '']) assert.throws(() => assertQueryId(id, () => 'The id'), { code }, id);
});

test('ids that are numbers keep their digits as far as there are any to tell apart', () => {
  assert.deepEqual([0, -1, 2 ** 53 - 1].map(idOfNumber), ['0', '-1', '9007199254740991']);
  assert.deepEqual([2 ** 53, 1.5, Number.NaN].map(idOfNumber), [undefined, undefined, undefined]);
  const json = '{"id": 9007199254740993, "a": {"id" :7}, "i.d": 3, "x": "id: 5"}';
  assert.equal(writtenNumber(json, 'id', 9007199254740992), '9007199254740993');
  assert.equal(writtenNumber(json, 'id', 7), '7');
  assert.equal(writtenNumber(json, 'i.d', 3), '3');
  assert.equal(writtenNumber(json, 'none', 4), '4');
  assert.equal(writtenNumber('{"id":1.0,"id":1e0}', 'id', 1), '1e0');
});

test('ranks are 1 to n and ascend; what may be either is said to be', () => {
  const kind = (...queries: number[][]) => kindOfNumbers(queries);
  assert.equal(kind([1, 2, 3]), 'rank');
  assert.equal(kind([1, 2], [1, 2, 3], [5]), 'rank');
  assert.equal(kind([0, 1, 2]), 'either');
  assert.equal(kind([2, 4, 9]), 'either');
  assert.equal(kind([3, 2, 1]), 'either');
  assert.equal(kind([2, 1, 0]), 'either');
  assert.equal(kind([4, 3, 2]), 'score');
  assert.equal(kind([3, 1, 7]), 'score');
  assert.equal(kind([1, 1]), 'score');
  assert.equal(kind([1.5, 0.5]), 'score');
  assert.equal(kind([-1, -2]), 'score');
  assert.equal(kind([0.5]), 'score');
  assert.equal(kind([-1]), 'score');
  assert.equal(kind(), 'score');
  assert.equal(kind([], [7]), 'score');
  assert.equal(kind([1, 2], [9, 3]), 'either');
  assert.equal(kind([0, 1], [9, 3]), 'score');
});

test('negatives: two columns or three, the same in every line, and what may stand in an id', async () => {
  const read = (text: string) => readNegatives(fileOf(text));
  const { negatives, positives } = await read('q1\ta,b%2Cc%25\tp\n\nq2\t\t\n');
  assert.deepEqual(
    [...negatives],
    [
      ['q1', ['a', 'b,c%']],
      ['q2', []],
    ],
  );
  assert.deepEqual(
    [...positives!],
    [
      ['q1', ['p']],
      ['q2', []],
    ],
  );
  assert.equal((await read('q1\ta\n')).positives, undefined);
  for (const [text, message] of [
    ['q1\n', /line 1: 1 columns/],
    ['q1\ta\tb\tc\n', /line 1: 4 columns/],
    ['q1\ta\nq2\ta\tb\n', /line 2: 3 columns, and 2 in the lines before/],
    ['\ta\n', /line 1: no query id/],
    ['q1\ta\n\nq1\tb\n', /line 3: query 'q1' again, after line 1/],
    ['q1\ta,\n', /line 1: an empty passage id/],
    ['q1\ta,a\n', /line 1: query 'q1' has a passage twice/],
    ['q1\ta\ta\n', /line 1: query 'q1' has a passage twice/],
    ['\n\n', /holds no negatives/],
  ] as const)
    await refused(read(text), message);
  assert.deepEqual(
    await Promise.all(
      ['\nq\ta\tb\n', 'q\ta\n', 'q\ta\tb\tc\n', ''].map((text) => namesPositives(fileOf(text))),
    ),
    [true, false, false, false],
  );
  const file = `${folder}/written.tsv`;
  const lists = { negatives: new Map([['q', ['a,b', '%', 'c\td']]]), positives: new Map([['q', ['e\nf']]]) };
  await writeNegatives(file, lists);
  assert.deepEqual(await readNegatives(file), lists);
  for (const id of ['', 'a\tb', 'a\nb'])
    await refused(writeNegatives(file, { negatives: new Map([[id, []]]) }), /query id/);
  await refused(writeNegatives(file, { negatives: new Map([['q', ['']]]) }), /passage id/);
});

test('slices: ten faults are listed, of more the number', async () => {
  assert.deepEqual(
    [...(await readSlices(fileOf(' q1 \t a b \n\nq2\tc\n')))],
    [
      ['q1', 'a b'],
      ['q2', 'c'],
    ],
  );
  for (const [text, message] of [
    ['q1\n', /line 1: 1 columns$/],
    ['q1\ta\tb\n', /line 1: 3 columns$/],
    ['\ta\n', /line 1: no query id$/],
    ['q1\t\n', /line 1: no slice$/],
    ['q1\ta\nq1\tb\n', /line 2: query 'q1' again, after line 1$/],
    [' \n', /holds no slices/],
    ['x\n'.repeat(10), /line 10: 1 columns$/],
    ['x\n'.repeat(11), /line 10: 1 columns\n {2}and 1 more$/],
  ] as const)
    await refused(readSlices(fileOf(text)), message);
});
