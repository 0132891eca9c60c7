/** The scores of BEIR's results, read as they stand in the file: what JSON.parse finds in them, and nothing of what it passes over. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { BenchError } from '../harness/errors.js';
import { readBeirResults } from '../harness/interchange/beir-results.js';
import { numberMembers } from '../harness/interchange/number-members.js';
import { writtenFiles } from './written-files.js';

const { folder } = writtenFiles('strata-beir-results-');
const read = (content: string) => {
  const file = path.join(folder, 'results.json');
  writeFileSync(file, content);
  return readBeirResults(file);
};
const unexpected = (name: string): never => assert.fail(`'${name}' is said to come again`);

test('what JSON.parse finds in an object of numbers', () => {
  for (const text of [
    '{}',
    ' {\n} ',
    '{"a":1}',
    '\t{ "a" : -1.5e3 ,\r\n"b":0,"c"\n:1E+2 , "d":1e-7 }\n',
    '{"": 3, "__proto__": 4, "10": 5, "9": 6}',
    '{"a\\"b": 1, "\\\\": 2, "\\u00e9": 3, "} , {": 5, "a:b": 6, "\\ud800": 7}',
    `{${Array.from({ length: 500 }, (_, i) => `"p${i}": ${-i / 8}`).join(',')}}`,
    `{"a": 0.${'3'.repeat(1000)}}`,
  ]) {
    const { names, numbers } = numberMembers(text, unexpected)!;
    const expected = JSON.parse(text) as Record<string, number>;
    assert.deepEqual(
      new Map(names.map((name, i) => [name, numbers[i]])),
      new Map(Object.entries(expected)),
      text,
    );
  }
  assert.ok(Object.is(numberMembers('{"a": -0}', unexpected)!.numbers[0], -0));
});

test('all else is left to JSON.parse', () => {
  for (const text of [
    '',
    '[]',
    '3',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1',
    '{"a":1,',
    '{"a":1,}',
    '{,}',
    '{"a" 1}',
    '{a:1}',
    "{'a':1}",
    '{"a":1}}',
    '{"a":1} x',
    '{"a":1 "b":2}',
    '{"a":1;"b":2}',
    '{"a":01}',
    '{"a":+1}',
    '{"a":.5}',
    '{"a":1.}',
    '{"a":1e}',
    '{"a":-}',
    '{"a":1-2}',
    '{"a":1e999}',
    '{"a":NaN}',
    '{"a":"1"}',
    '{"a":null}',
    '{"a":{}}',
    '{"a":[1]}',
    '{"a\n":1}',
    '{"\\x":1}',
    '{"a":\u00a01}',
  ])
    assert.equal(numberMembers(text, unexpected), undefined, text);
});

test('the hits of a query never become one object, which takes longer the more there are', async (context) => {
  const parse = context.mock.method(JSON, 'parse');
  const hits = Array.from({ length: 2000 }, (_, i) => `"passage-${i}": ${i}.5`);
  const run = await read(`{"q": {${hits.join(', ')}}, "r": {"a\\tb": 0.25}}`);
  const longest = Math.max(...parse.mock.calls.map((call) => String(call.arguments[0]).length));
  assert.ok(longest < 20, `${longest} characters parsed at once`);
  assert.deepEqual(run.get('q')!.passageIds.slice(0, 2), ['passage-1999', 'passage-1998']);
  assert.deepEqual(run.get('r'), { passageIds: ['a\tb'], scores: [0.25] });
});

test('a query and a passage that come twice, numbers that are none, and other JSON are refused by their names', async () => {
  for (const [content, pattern] of [
    ['{"q": {"a": 1.5, "b": 2, "\\u0061": 3}}', /query 'q' has the passage 'a' twice/],
    ['{"q": {"a": 1.5}, "r": {"a": 1}, "q": {}}', /query 'q' comes twice/],
    ['{"q": {"a": 1.5, "b": 1e999}}', /query 'q', passage 'b': null is no score/],
    ['{"q": {"a": 1.5, "b": [2]}}', /query 'q', passage 'b': \[2\] is no score/],
    ['{"q": {"a": 1.5, "b": 01}}', /line 1: member 1 of the object is not JSON/],
    ['{"q": [1.5]}', /query 'q' has no object of scores/],
    ['{"q": {"question": "who?", "answers": [], "contexts": []}}', /a retrieval result of Pyserini/],
  ] as const) {
    await assert.rejects(read(content), (error) => {
      assert.ok(error instanceof BenchError && error.code === 'RECORD_INVALID', String(error));
      assert.match(error.message, pattern);
      return true;
    });
  }
});
