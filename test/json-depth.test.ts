/** JSON that is nested deeper than anything real: refused with a plain message wherever JSON is read. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { parseSquad } from '../datasets/squad/format.js';
import { readConfigFile } from '../harness/config/sources.js';
import { BenchError } from '../harness/errors.js';
import { readDprExamples } from '../harness/interchange/dpr-training.js';
import { jsonLines } from '../harness/interchange/json-lines.js';
import { readRunFile } from '../harness/interchange/run-file.js';
import { deepestJson, parseJson } from '../harness/json.js';
import { readRecord } from '../harness/record/read.js';
import { readBaseline } from '../harness/regression/baseline.js';
import { loadReproduction } from '../harness/reproduction/files.js';
import { loadTokenizer } from '../harness/text/tokenizer-folder.js';

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
const objects = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'strata-json-'));
});
after(() => rm(folder, { recursive: true, force: true }));

test('a text of the deepest nesting is parsed, and one level more is refused with its place', () => {
  for (const nested of [lists, objects]) {
    assert.deepEqual(parseJson(nested(deepestJson)), JSON.parse(nested(deepestJson)));
    assert.throws(() => parseJson(nested(deepestJson + 1)), {
      name: 'SyntaxError',
      message: `Nested deeper than 200 levels at position ${nested === lists ? 200 : 1000}`,
    });
  }
});

test('brackets in strings, and levels that were closed, do not count', () => {
  const texts = [
    JSON.stringify(Array.from({ length: 300 }, (_, i) => [[i], { a: {} }])),
    JSON.stringify(['['.repeat(500), '\\', '"', `\\"${'{'.repeat(500)}`]),
    JSON.stringify({ ['\\'.repeat(301)]: '\\'.repeat(300), b: '['.repeat(300) }),
  ];
  for (const text of texts) assert.deepEqual(parseJson(text), JSON.parse(text));
});

test('what is no JSON is refused in the words of the parser', () => {
  const broken = [
    '',
    '{',
    '"abc',
    `"${'['.repeat(300)}`,
    `${'['.repeat(200)}`,
    `{"a": 1}}${' '.repeat(300)}`,
  ];
  for (const text of broken) {
    let message = '';
    try {
      JSON.parse(text);
    } catch (error) {
      message = (error as Error).message;
    }
    assert.throws(() => parseJson(text), { name: 'SyntaxError', message });
  }
});

test('200,000 levels end each reader with an error of ours', async () => {
  const deep = lists(200_000);
  const inObject = `{"a":${deep}}`;
  const at = (name: string) => path.join(folder, name);
  const texts = {
    'run.json': `{"q":${inObject}}`,
    'dpr.json.gz': gzipSync(`[{"question":"q","answers":[],"ctxs":${deep}}]`),
    'lines.jsonl': `{"_id":"1","text":"a"}\n${inObject}\n`,
    'bench.config.json': inObject,
    'a.record.json': inObject,
    'baseline.json': inObject,
    'own.json': inObject,
    'tokenizer.json': inObject,
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(at(name), text);
  const refuses = async (name: string, code: string, read: () => unknown) =>
    assert.rejects(
      async () => read(),
      (error) =>
        error instanceof BenchError && error.code === code && /Nested deeper than 200/.test(error.message),
      name,
    );
  await refuses('BEIR results', 'RECORD_INVALID', () => readRunFile(at('run.json')));
  await refuses('DPR results', 'RECORD_INVALID', () => readRunFile(at('dpr.json.gz')));
  await refuses('DPR training', 'DATA_INVALID', () => readDprExamples(at('dpr.json.gz')));
  await refuses('BEIR lines', 'DATA_INVALID', async () => {
    for await (const { value } of jsonLines(at('lines.jsonl'), 'DATA_INVALID')) assert.ok(value);
  });
  await refuses('SQuAD', 'DATA_INVALID', () => parseSquad(Buffer.from(inObject), 'dev-v1.1.json'));
  await refuses('configuration', 'CONFIG_INVALID', () => readConfigFile(folder));
  await refuses('record', 'RECORD_INVALID', () => readRecord(at('a.record.json')));
  await refuses('baseline', 'RECORD_INVALID', () => readBaseline(at('baseline.json')));
  await refuses('reproduction', 'DATA_INVALID', () => loadReproduction(at('own.json')));
  await refuses('tokenizer', 'CHECKPOINT_INVALID', () => loadTokenizer(folder));
});
