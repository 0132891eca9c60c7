/** A folder or a file that cannot be taken for SQuAD v1.1: each fault is named with its place. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { failsWith } from './loopback.js';
import { type Raw, squadFolder } from './squad-folder.js';

const folder = squadFolder();

test('a folder that is missing, is a file, or lacks a file', async () => {
  await failsWith(folder.open(folder.file('absent')), 'PATH_INVALID', 'no folder', folder.file('absent'));
  const file = folder.file('dev-v1.1.json');
  await failsWith(folder.open(file), 'PATH_INVALID', file, 'is a file');
  await rm(file);
  await failsWith(folder.open(), 'PATH_INVALID', 'no file dev-v1.1.json', folder.path);
});

test('an empty file, one cut short, one that is not text', async () => {
  const file = folder.file('train-v1.1.json');
  const whole = await readFile(file, 'utf8');
  await writeFile(file, '');
  await failsWith(folder.open(), 'DATA_INVALID', file, 'empty (0 bytes)');
  // In a string, between two values, and inside a number: the parser words each differently.
  for (const length of [
    whole.indexOf('keeper'),
    whole.indexOf('"qas"'),
    whole.search(/: \d\d/) + 3,
    whole.length - 3,
  ]) {
    await writeFile(file, whole.slice(0, length));
    await failsWith(folder.open(), 'DATA_INVALID', file, `character ${length} of ${length}`, 'line ');
  }
  await writeFile(file, whole.replace('"qas"', 'qas'));
  await failsWith(folder.open(), 'DATA_INVALID', 'is not JSON', `character ${whole.indexOf('"qas"')} of`);
  await writeFile(file, whole.replace('keeper', 'kee\u0000per'));
  await failsWith(
    folder.open(),
    'DATA_INVALID',
    'is not JSON',
    `character ${whole.indexOf('keeper') + 3} of`,
  );
  await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
  await failsWith(folder.open(), 'DATA_INVALID', 'not text in UTF-8');
});

test('a byte order mark is no fault', async () => {
  const file = folder.file('train-v1.1.json');
  await writeFile(file, `\ufeff${await readFile(file, 'utf8')}`);
  assert.equal((await folder.open()).passageCount, 5);
});

test('a wrong value is shown whole up to 60 letters, and of a longer one so many', async () => {
  const file = folder.file('train-v1.1.json');
  for (const [letters, shown] of [
    [58, `"${'x'.repeat(58)}"`],
    [59, `"${'x'.repeat(59)}...`],
  ] as const) {
    await writeFile(file, JSON.stringify({ data: 'x'.repeat(letters) }));
    await failsWith(folder.open(), 'DATA_INVALID', `data is ${shown}`);
  }
});

test('JSON that is not SQuAD: the first wrong value is named', async () => {
  const file = folder.file('train-v1.1.json');
  const whole = await readFile(file);
  for (const [text, ...parts] of [
    ['[]', 'the whole', '[]', 'an object'],
    ['null', 'the whole', 'null'],
    ['{"rows": 3}', 'data', 'missing', 'a list'],
    ['{"data": []}', 'data', '[]', 'not empty'],
    ['{"data": [{"title": "a", "paragraphs": []}]}', 'no question'],
  ] as const) {
    await writeFile(file, text);
    await failsWith(folder.open(), 'DATA_INVALID', file, ...parts);
  }
  const changes: [(data: Raw[]) => unknown, ...string[]][] = [
    [(data) => (data[1]!.title = 7), 'data[1].title', '7', 'a string'],
    [(data) => Object.assign(data[1]!, { paragraphs: {} }), 'data[1].paragraphs', '{}', 'a list'],
    [(data) => (data[0]!.paragraphs[1]!.context = null), 'data[0].paragraphs[1].context', 'null'],
    [
      (data) => Object.assign(data[0]!.paragraphs[1]!, { qas: undefined }),
      'data[0].paragraphs[1].qas',
      'missing',
    ],
    [(data) => (data[0]!.paragraphs[0]!.qas[2]!.id = 5), 'data[0].paragraphs[0].qas[2].id', '5'],
    [(data) => (data[0]!.paragraphs[0]!.qas[2]!.id = ''), 'qas[2].id', '""', 'not empty'],
    [(data) => (data[0]!.paragraphs[0]!.qas[2]!.question = ['x']), 'qas[2].question', '["x"]'],
    [(data) => (data[0]!.paragraphs[0]!.qas[1]!.answers = []), 'qas[1].answers', '[]', 'not empty'],
    [(data) => (data[0]!.paragraphs[0]!.qas[0]!.answers[2]!.text = false), 'qas[0].answers[2].text', 'false'],
    [
      (data) => (data[0]!.paragraphs[0]!.qas[0]!.answers[1]!.answer_start = -1),
      'answers[1].answer_start',
      '-1',
    ],
    [
      (data) => (data[0]!.paragraphs[0]!.qas[0]!.answers[1]!.answer_start = '3'),
      'answers[1].answer_start',
      '"3"',
    ],
  ];
  for (const [change, ...parts] of changes) {
    await writeFile(file, whole);
    await folder.edit('train-v1.1.json', change);
    await failsWith(folder.open(), 'DATA_INVALID', file, ...parts);
  }
});

test('two questions of one id: both places are named', async () => {
  await folder.edit('dev-v1.1.json', (data) => (data[1]!.paragraphs[0]!.qas[1]!.id = 't07'));
  await failsWith(
    folder.open(),
    'DATA_INVALID',
    "'t07'",
    'train-v1.1.json data[0].paragraphs[1].qas[2]',
    'dev-v1.1.json data[1].paragraphs[0].qas[1]',
  );
});

test('an id that no run file can hold is refused where it is read', async () => {
  const place = 'dev-v1.1.json data[1].paragraphs[0].qas[1]: the id';
  for (const id of ['a b', 'a\u00a0b\tc', '#1']) {
    await folder.edit('dev-v1.1.json', (data) => (data[1]!.paragraphs[0]!.qas[1]!.id = id));
    await failsWith(folder.open(), 'DATA_INVALID', `${place} ${JSON.stringify(id)} cannot`, 'TREC file');
  }
  await folder.edit('dev-v1.1.json', (data) => (data[1]!.paragraphs[0]!.qas[1]!.id = 'a\u00a0#'));
  assert.ok((await folder.open()).passageCount > 0);
});
